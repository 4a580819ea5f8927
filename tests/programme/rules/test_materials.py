"""When a material is there and for whom: for any material, session, viewer and instant."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.programme.rules.materials import TELLS_WHO, MaterialKind, Release, Stage, next_release, opens_at, stage
from app.programme.rules.visibility import PUBLIC, Attribution, Viewer, shown

START = datetime(2027, 3, 23, 1, tzinfo=UTC)
INSTANTS = st.integers(-3, 3).map(lambda hours: START + timedelta(hours=hours))
DESK, ADMITTED, ELSEWHERE = Viewer(desk=True), Viewer(frozenset({"C-01"})), Viewer(frozenset({"C-02"}))
STAGES = [Stage.ABSENT, Stage.ANNOUNCED, Stage.THERE]


@dataclass(frozen=True, slots=True)
class Paper:
    session_uid: str | None
    kind: MaterialKind
    release: Release
    release_at: datetime | None
    announced: bool
    stays: bool
    removed_at: datetime | None
    has_text: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    code: str
    attribution: Attribution | None
    starts_at: datetime | None
    cancelled: bool


PAPERS = st.builds(
    Paper,
    st.sampled_from([None, "uid"]),
    st.sampled_from(MaterialKind),
    st.sampled_from(Release),
    st.none() | INSTANTS,
    st.booleans(),
    st.booleans(),
    st.none() | st.just(START),
    st.booleans(),
)
SESSIONS = st.builds(
    Session,
    st.just("C-01"),
    st.none() | st.sampled_from(Attribution),
    st.none() | INSTANTS,
    st.booleans(),
)
VIEWERS = st.sampled_from([PUBLIC, ADMITTED, ELSEWHERE, DESK])


@given(PAPERS, st.none() | SESSIONS, VIEWERS, INSTANTS)
def test_nothing_of_a_session_is_there_for_whom_the_session_is_not(
    paper: Paper, session: Session | None, viewer: Viewer, now: datetime
) -> None:
    how = stage(paper, session, viewer, now=now)
    if paper.session_uid and not viewer.desk and (session is None or not shown(session, viewer)):
        assert how is Stage.ABSENT


@given(PAPERS, st.none() | SESSIONS, VIEWERS, INSTANTS)
def test_before_its_release_nothing_can_be_read_and_only_the_announced_is_told(
    paper: Paper, session: Session | None, viewer: Viewer, now: datetime
) -> None:
    how, at = stage(paper, session, viewer, now=now), opens_at(paper, session)
    released = paper.release is Release.AT_ONCE or (at is not None and at <= now)
    if viewer.desk:
        assert how is (Stage.ABSENT if paper.removed_at else Stage.THERE)
    elif not released:
        assert how in ({Stage.ABSENT, Stage.ANNOUNCED} if paper.announced else {Stage.ABSENT})
    else:
        assert how is not Stage.ANNOUNCED


@given(PAPERS, st.none() | SESSIONS, VIEWERS, INSTANTS)
def test_what_waits_for_its_text_is_there_for_the_desk_alone(
    paper: Paper, session: Session | None, viewer: Viewer, now: datetime
) -> None:
    if not paper.has_text and not viewer.desk:
        assert stage(paper, session, viewer, now=now) is Stage.ABSENT


@given(PAPERS, SESSIONS, VIEWERS, INSTANTS)
def test_who_said_what_stays_inside_unless_on_the_record(
    paper: Paper, session: Session, viewer: Viewer, now: datetime
) -> None:
    inside = session.attribution in {Attribution.CHR, Attribution.CLO} and paper.kind in TELLS_WHO
    if paper.session_uid and inside and not viewer.desk:
        assert stage(paper, session, viewer, now=now) is Stage.ABSENT


@given(PAPERS, SESSIONS, VIEWERS, INSTANTS)
def test_of_a_cancelled_session_only_what_was_chosen_stays(
    paper: Paper, session: Session, viewer: Viewer, now: datetime
) -> None:
    if paper.session_uid and session.cancelled and not paper.stays and not viewer.desk:
        assert stage(paper, session, viewer, now=now) is Stage.ABSENT


@given(PAPERS, SESSIONS, INSTANTS)
def test_who_may_see_more_sees_all_that_others_see(paper: Paper, session: Session, now: datetime) -> None:
    seen = [STAGES.index(stage(paper, session, viewer, now=now)) for viewer in (PUBLIC, ADMITTED, DESK)]
    assert seen == sorted(seen)


@given(PAPERS, SESSIONS, VIEWERS, INSTANTS, INSTANTS)
def test_time_alone_takes_nothing_away_and_changes_nothing_before_the_next_release(
    paper: Paper, session: Session, viewer: Viewer, now: datetime, later: datetime
) -> None:
    if later < now:
        now, later = later, now
    before, after = (stage(paper, session, viewer, now=at) for at in (now, later))
    assert STAGES.index(after) >= STAGES.index(before)
    until = next_release([(paper, session)], now=now)
    if until is None or later < until:
        assert after is before


def test_a_paper_goes_from_announced_to_there_at_its_very_instant() -> None:
    paper = Paper(None, MaterialKind.PAPER, Release.AT, START, announced=True, stays=False, removed_at=None)
    just_before = START - timedelta(microseconds=1)
    assert stage(paper, None, PUBLIC, now=just_before) is Stage.ANNOUNCED
    assert stage(paper, None, PUBLIC, now=START) is Stage.THERE


def test_what_comes_with_a_session_waits_while_no_time_is_announced() -> None:
    paper = Paper("uid", MaterialKind.PAPER, Release.WITH_START, None, announced=True, stays=False, removed_at=None)
    open_time = Session("C-01", Attribution.REC, None, cancelled=False)
    assert stage(paper, open_time, PUBLIC, now=START) is Stage.ANNOUNCED
    assert stage(paper, None, PUBLIC, now=START) is Stage.ABSENT, "nobody has published the session"
