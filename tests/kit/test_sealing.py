from hypothesis import given
from hypothesis import strategies as st

from app.kit.sealing import decrypt, encrypt

KEY, OTHER = b"a key for tests alone, long enough to be taken", b"another key, as long as the first one is here"


@given(st.text(st.characters(codec="utf-8")))
def test_what_was_encrypted_is_read_for_what_it_was_meant_alone(text: str):
    kept = encrypt(KEY, "factor", "user:7", text)
    assert decrypt(KEY, "factor", "user:7", kept) == text
    assert decrypt(OTHER, "factor", "user:7", kept) is None
    assert decrypt(KEY, "other", "user:7", kept) is None
    assert decrypt(KEY, "factor", "user:8", kept) is None
    assert decrypt(KEY, "factor", "user:7", kept[:-8]) is None


def test_the_same_text_is_never_kept_alike_nor_in_the_clear():
    first, second = (encrypt(KEY, "factor", "user:7", "JBSWY3DPEHPK3PXP") for _ in range(2))
    assert first != second
    assert "JBSWY" not in first
