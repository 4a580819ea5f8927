import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.correspondence.rules.mailings import STEPS, State, may_follow
from app.correspondence.rules.segments import STANDINGS, Audience, Person, Segment, as_kept, fits, from_kept

NOON = datetime(2027, 1, 5, 5, tzinfo=UTC)
TIMES = st.none() | st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days))
CODES = st.sampled_from(["DIP", "STU", "GOV"])
SEGMENTS = st.builds(
    Segment,
    audience=st.sampled_from(Audience),
    standings=st.lists(st.sampled_from(STANDINGS), unique=True, max_size=3).map(tuple),
    categories=st.lists(CODES, unique=True, max_size=2).map(tuple),
    capacity=st.sampled_from(["", "official", "private"]),
    confirmed=st.sampled_from(["", "yes", "no"]),
    country=st.sampled_from(["", "KH", "FR"]),
    delegation=st.sampled_from(["", "any", "none", "K3TP9QA"]),
    institution=st.sampled_from(["", "EMBASSY", "Ministry of"]),
    tag=st.sampled_from(["", "7"]),
    session=st.sampled_from(["", "D1-07"]),
    language=st.sampled_from(["", "en", "km"]),
    asked_from=TIMES,
    asked_until=TIMES,
    chosen=st.sampled_from([(), ("ABCDEFG",), ("K3TP9QA", "ZZZZZZZ")]),
)
PEOPLE = st.builds(
    Person,
    id=st.just(1),
    subject=st.just("registration:ABCDEFG"),
    email=st.sampled_from(["", "somebody@crowd.example"]),
    name=st.just("Somebody"),
    language=st.sampled_from(["en", "km"]),
    standing=st.sampled_from(STANDINGS),
    category=CODES,
    capacity=st.sampled_from(["official", "private"]),
    confirmed=st.booleans(),
    country=st.sampled_from(["", "KH", "FR"]),
    delegation=st.sampled_from(["", "K3TP9QA", "ZZZZZZZ"]),
    institution=st.sampled_from(["", "An embassy", "Ministry of Health"]),
    tags=st.sampled_from([frozenset[str](), frozenset({"7", "8"})]),
    asked_at=TIMES,
    sessions=st.sampled_from([frozenset[str](), frozenset({"D1-07"})]),
    code=st.just("ABCDEFG"),
)
NOTHING = Segment()


@given(SEGMENTS)
def test_a_segment_is_the_same_after_it_was_kept(segment: Segment):
    assert from_kept(json.loads(json.dumps(as_kept(segment)))) == segment


@given(SEGMENTS, PEOPLE)
def test_a_question_less_leaves_nobody_out(segment: Segment, person: Person):
    if fits(segment, person):
        for name in (
            "standings",
            "categories",
            "capacity",
            "confirmed",
            "country",
            "delegation",
            "institution",
            "tag",
            "session",
            "language",
            "chosen",
        ):
            assert fits(replace(segment, **{name: getattr(NOTHING, name)}), person)
        assert fits(replace(segment, asked_from=None, asked_until=None), person)


@given(SEGMENTS, PEOPLE)
def test_whoever_fits_answers_every_question_with_yes(segment: Segment, person: Person):
    alone = [
        Segment(segment.audience, **{name: getattr(segment, name)})  # type: ignore[arg-type]
        for name in Segment.__slots__
        if name != "audience"
    ]
    assert fits(segment, person) == all(fits(one, person) for one in alone)


@given(SEGMENTS, PEOPLE)
def test_whoever_has_no_address_is_never_meant(segment: Segment, person: Person):
    assert not fits(segment, replace(person, email=""))


@given(SEGMENTS, PEOPLE)
def test_of_speakers_and_focal_points_nothing_is_asked_that_only_a_registration_can_answer(
    segment: Segment, person: Person
):
    general = replace(segment, audience=Audience.SPEAKERS)
    assert fits(general, person) == fits(
        Segment(Audience.SPEAKERS, language=segment.language, country=segment.country), person
    )


def test_seated_diplomats_without_confirmation_are_just_those():
    asked = Segment(standings=("seated",), categories=("DIP",), confirmed="no")
    one = Person(1, "registration:A", "a@crowd.example", "A", "en", standing="seated", category="DIP")
    assert fits(asked, one)
    assert not fits(asked, replace(one, confirmed=True))
    assert not fits(asked, replace(one, category="STU"))
    assert not fits(asked, replace(one, standing="waiting"))


def test_a_mailing_that_was_sent_or_stopped_never_becomes_a_draft_again():
    assert [after for after in State if may_follow(State.STOPPED, after)] == []
    assert not any(may_follow(before, State.DRAFT) for before in (State.SENDING, State.SENT, State.STOPPED))
    assert STEPS.keys() == set(State)
