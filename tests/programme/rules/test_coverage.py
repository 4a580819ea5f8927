from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.coverage import (
    CIVIL_SOCIETY,
    POLICY,
    SCIENCE,
    Group,
    Held,
    OneKind,
    Voice,
    alike,
    one_kind,
    parts_by_country,
    parts_by_group,
    serving,
)

KINDS = [*sorted(POLICY | SCIENCE), CIVIL_SOCIETY, "business", None]
VOICES = st.builds(
    Voice,
    country=st.sampled_from(["KH", "SG", "TL", "FR", "JP", None]),
    institution=st.sampled_from(["one", "other", None]),
    kind=st.sampled_from(KINDS),
)
CASTS = st.lists(VOICES, max_size=5)
NAMES = [f"speaker-{number}" for number in range(6)]
SESSIONS = st.lists(
    st.builds(
        Held,
        code=st.sampled_from([f"S-{number:02d}" for number in range(20)]),
        objectives=st.frozensets(st.integers(1, 6)),
        tracks=st.frozensets(st.sampled_from("ABCX")),
        people=st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(["chair", "speaker"])), max_size=5, unique=True
        ).map(tuple),
    ),
    max_size=8,
    unique_by=lambda one: one.code,
)


def found(*voices: Voice) -> set[OneKind]:
    named = {f"speaker-{number}": voice for number, voice in enumerate(voices)}
    return set(one_kind(Held("S-01", people=tuple((name, "speaker") for name in named)), named))


def kinds(*given: str | None) -> set[OneKind]:
    return found(*(Voice("KH" if number else "FR", None, kind) for number, kind in enumerate(given)))


@given(SESSIONS)
def test_each_session_stands_where_it_says_and_nowhere_else(sessions: list[Held]):
    served = serving(sessions, "ABC", lambda one: one.tracks)
    assert set(served) == set("ABC"), "what nobody serves is there too, and what is not wanted is not"
    for track, codes in served.items():
        assert codes == [one.code for one in sessions if track in one.tracks]


@given(CASTS)
def test_the_order_of_the_people_is_of_no_matter(cast: list[Voice]):
    assert found(*cast) == found(*reversed(cast))


@given(CASTS)
def test_nothing_is_claimed_of_kinds_where_one_is_not_known_nor_of_countries(cast: list[Voice]):
    said = found(*cast)
    if any(one.kind is None for one in cast):
        claims = {OneKind.ONE_VOICE, OneKind.POLICY_ONLY, OneKind.SCIENCE_ONLY, OneKind.NO_CIVIL_SOCIETY}
        assert not said & claims
    if any(one.country is None for one in cast):
        assert not said & {OneKind.ONE_COUNTRY, OneKind.ALL_ASEAN, OneKind.NO_ASEAN}
    if len(cast) < 2:
        assert not said


@given(CASTS, VOICES)
def test_a_voice_of_civil_society_takes_the_warning_away_and_one_more_voice_never_adds_one_voice(
    cast: list[Voice], more: Voice
):
    assert OneKind.NO_CIVIL_SOCIETY not in found(*cast, Voice("KH", None, CIVIL_SOCIETY))
    if len(cast) > 1 and OneKind.ONE_VOICE not in found(*cast) and OneKind.KINDS_UNKNOWN not in found(*cast):
        assert OneKind.ONE_VOICE not in found(*cast, more)


@given(CASTS)
def test_who_has_both_communities_is_of_neither_alone(cast: list[Voice]):
    both = found(*cast, Voice("KH", None, "parliament"), Voice("KH", None, "academia"))
    assert not both & {OneKind.POLICY_ONLY, OneKind.SCIENCE_ONLY, OneKind.ONE_VOICE}


@given(SESSIONS, st.lists(VOICES, min_size=6, max_size=6))
def test_every_part_is_counted_once_by_group_and_by_country(sessions: list[Held], cast: list[Voice]):
    voices = dict(zip(NAMES, cast, strict=True))
    wanted = sorted((session.code, who, role) for session in sessions for who, role in session.people)
    for parts in (parts_by_group(sessions, voices), parts_by_country(sessions, voices)):
        assert sorted((code, who, role) for (role, _), there in parts.items() for code, who in there) == wanted


def test_panels_of_one_kind():
    assert kinds("parliament", "parliament") == {OneKind.ONE_VOICE, OneKind.POLICY_ONLY, OneKind.NO_CIVIL_SOCIETY}
    assert kinds("parliament", "government") == {OneKind.POLICY_ONLY, OneKind.NO_CIVIL_SOCIETY}
    assert kinds("academia", "business") == {OneKind.SCIENCE_ONLY, OneKind.NO_CIVIL_SOCIETY}
    assert kinds("academia", "diplomacy", "civil_society") == set()
    assert kinds("academia", None) == {OneKind.KINDS_UNKNOWN}
    assert kinds("academia", "diplomacy", "civil_society", None) == set(), "whoever it is, nothing changes"


def test_panels_of_one_place():
    home = Voice("KH", "one", "civil_society")
    assert found(home, Voice("KH", "other", "academia")) == {
        OneKind.SCIENCE_ONLY,
        OneKind.ONE_COUNTRY,
        OneKind.ALL_ASEAN,
    }
    assert OneKind.ONE_INSTITUTION in found(home, home)
    assert found(Voice("FR", None, "civil_society"), Voice("JP", None, "business")) == {OneKind.NO_ASEAN}
    assert OneKind.COUNTRIES_UNKNOWN in found(home, Voice(None, None, "business"))
    assert OneKind.COUNTRIES_UNKNOWN not in found(home, Voice("FR"), Voice(None))


def test_a_panel_of_one_person_twice_is_no_panel():
    session = Held("S-01", people=(("one", "chair"), ("one", "speaker")))
    assert alike([session], {"one": Voice("KH")}) == {kind: [] for kind in OneKind}
    assert Voice("TL").group is Group.ASEAN
