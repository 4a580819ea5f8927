from hypothesis import given
from hypothesis import strategies as st

from app.correspondence.rules.placeholders import faults, fill, named

NAMES = st.sampled_from(["name", "link", "forum", "hours"])
PLAIN = st.text("ab ក<$%", max_size=12)
ANYTHING = st.text(st.sampled_from("{}name lิnkក\n"), max_size=60)


@given(st.lists(st.tuples(PLAIN, NAMES)), PLAIN, st.dictionaries(NAMES, ANYTHING))
def test_what_is_put_in_is_never_read_as_a_placeholder(parts: list[tuple[str, str]], last: str, values: dict[str, str]):
    text = "".join(f"{before}{{{name}}}" for before, name in parts) + last
    expected = "".join(before + values.get(name, f"{{{name}}}") for before, name in parts) + last
    assert fill(text, values) == expected
    assert named(text) == tuple(dict.fromkeys(name for _, name in parts))


@given(ANYTHING, st.dictionaries(NAMES, ANYTHING))
def test_a_text_without_faults_holds_no_brace_but_those_of_known_placeholders(text: str, values: dict[str, str]):
    if not list(faults(text, values)):
        assert "{" not in fill(text, dict.fromkeys(values, ""))
        assert "}" not in fill(text, dict.fromkeys(values, ""))


def test_each_thing_wrong_with_a_text_is_told():
    said = list(faults("Dear {name}, {user.password} {0} {} { and }} {__class__}", {"name", "hours"}, {"hours"}))
    unknown = [name for code, name in said if code == "placeholder_unknown"]
    assert unknown == ["user.password", "0", "", "and", "__class__"]
    assert [one for one in said if one[0] != "placeholder_unknown"] == [
        ("placeholder_open", ""),
        ("placeholder_missing", "hours"),
    ]
    assert list(faults("Dear { name }, {hours} hours", {"name", "hours"}, {"hours"})) == []
    assert len(next(faults("{" + "x" * 5000 + "}", ()))[1]) <= 60
