"""One Khmer word for one thing: what docs/khmer-review.md gave up stays out of the catalogues and the forum's file."""

import re

import pytest

from app.kit.i18n import catalogue
from tests.conftest import FORUM_FILE

REJECTED = (
    "កន្លែងលេខ",
    "គណៈកម្មការរៀបចំ",
    "អនុម័ត",
    "ស្លាកឈ្មោះ",
    "នាមផ្ទាល់ខ្លួន",
    "ហួសពេល",
    "កម្រិត",
    "កន្លែងរៀបចំ",
    "ទម្រង់បែបបទ",
    "ទូរស័ព្ទ",
    "លទ្ធភាពចូលប្រើ",
    "ឥតបានការ",
    "ចេញផ្សាយ",
    "ព្យាយាម",
    "បាឋកថា",
    "ម្តង",
    "ប្តូរ",
    "ផ្តល់",
    "ស្តី",
    "ដណ្តប់",
    "ឲ្យ",
    "\u200b",
)
PLAIN_YOU = re.compile("(?<!លោក)អ្នក(?=មិន|អាច|កំពុង|នឹង|ស្វែងរក|តាមដាន)|របស់អ្នក(?!រៀបចំ|ធ្វើរបាយការណ៍|ជំនាញ|ចូលរួម|ថ្លែង|គ្រប់គ្រង)")


def texts() -> dict[str, str]:
    """Every Khmer text by its key, and every line of the forum's file by its number."""
    words = {key: text if isinstance(text, str) else " ".join(text.values()) for key, text in catalogue("km").items()}
    lines = enumerate(FORUM_FILE.read_text(encoding="utf-8").splitlines(), 1)
    return words | {f"{FORUM_FILE.name}:{number}": line for number, line in lines}


@pytest.mark.parametrize("word", REJECTED)
def test_a_word_that_was_given_up_stands_nowhere(word: str) -> None:
    assert not [key for key, text in texts().items() if word in text]


def test_a_reader_is_addressed_as_lok_neak_and_never_plainly() -> None:
    assert not [key for key, text in texts().items() if PLAIN_YOU.search(text)]
    assert PLAIN_YOU.search("អ្នកអាចជាវ"), "the search itself can find one"
    assert not PLAIN_YOU.search("របាយការណ៍របស់អ្នកធ្វើរបាយការណ៍"), "a rapporteur is not the reader"


def test_the_forums_file_is_searched_too() -> None:
    found = [key for key, text in texts().items() if "វេទិកា" in text]
    assert any(key.startswith(FORUM_FILE.name) for key in found)
    assert any(not key.startswith(FORUM_FILE.name) for key in found)
