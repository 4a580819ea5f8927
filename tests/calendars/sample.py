"""A small forum in plain values, and its golden files: `python -m tests.calendars.sample` writes them anew."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from app.calendars.feeds import whole_forum
from app.calendars.shelves import Shelf, shelf_of
from app.forum.models import Forum
from app.forum.queries import TrackView
from app.kit.i18n import LANGS, Bilingual, Lang
from app.programme.published import Programme, PublishedPerson, PublishedSession
from app.programme.rules.visibility import Attribution

GOLDEN = Path(__file__).parent / "golden"
BASE_URL = "https://forum.example"
NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
PUBLISHED = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MOVED = datetime(2026, 11, 30, 9, 15, 42, 123456, tzinfo=UTC)
OVER = datetime(2027, 3, 24, 17, 0, tzinfo=UTC)
"""Midnight in Phnom Penh after the second day."""

CHAIR = PublishedPerson(
    "moderator-institute",
    "chair",
    None,
    Bilingual("Moderator, member of a research institute", "អ្នកសម្របសម្រួល សមាជិកវិទ្យាស្ថានស្រាវជ្រាវ"),
    None,
    None,
    None,
)
SPEAKER = PublishedPerson(
    "keynote-scholar",
    "speaker",
    Bilingual("Prof. Chan Keo", "សាស្ត្រាចារ្យ កែវ ចាន់"),
    Bilingual("Senior scholar", "អ្នកសិក្សាជាន់ខ្ពស់"),
    Bilingual("An institute", "វិទ្យាស្ថានមួយ"),
    "KH",
    None,
)
TRACKS = (
    TrackView(
        "A", "issues", Bilingual("Issues, old and new", "បញ្ហាចាស់ និងថ្មី"), Bilingual("Issues", "បញ្ហា"), "river", ()
    ),
    TrackView("B", "review", Bilingual("Review", "ការពិនិត្យឡើងវិញ"), Bilingual("Review", "ការពិនិត្យ"), "lotus", ()),
)


def session(code: str, **changes: object) -> PublishedSession:
    """An hour in the hall on the first morning; `changes` replace what is said."""
    plain = PublishedSession(
        uid=f"{code.lower()}-0123456789abcdef@sala",
        code=code,
        type="panel",
        title=Bilingual(f"Session {code}", f"កិច្ចប្រជុំ {code}"),
        abstract=None,
        guiding_question=None,
        tracks=("A",),
        themes=(),
        objectives=(),
        facet=None,
        room="hall",
        room_name=Bilingual("Hall", "សាល"),
        starts_at=datetime(2027, 3, 23, 2, 0, tzinfo=UTC),
        ends_at=datetime(2027, 3, 23, 3, 0, tzinfo=UTC),
        attribution=Attribution.REC,
        spoken=("km", "en"),
        interpreted=("km", "en"),
        people=(),
        overlap_intended=False,
        cancelled=False,
        sequence=0,
        changed_at=PUBLISHED,
    )
    return replace(plain, **changes)


OPENING = session(
    "D1-01",
    type="opening",
    title=Bilingual("Opening of the Forum", "ពិធីបើកវេទិកា"),
    tracks=(),
    starts_at=datetime(2027, 3, 23, 1, 30, tzinfo=UTC),
    ends_at=datetime(2027, 3, 23, 2, 15, tzinfo=UTC),
)
LONG = session(
    "D1-02",
    title=Bilingual(
        "From Dialogue to Action; or: what “architecture”, old and new, has learned (a title that does not end soon)",
        "កិច្ចសហប្រតិបត្តិការសន្តិសុខនៅតំបន់អាស៊ីប៉ាស៊ីហ្វិក៖ ផ្លូវសមុទ្រយុទ្ធសាស្ត្រ "
        "និងសេរីភាពនៃការប្រើប្រាស់ ជាសរសៃឈាមដ៏សំខាន់នៃពាណិជ្ជកម្ម ស្ត្រី និងការសង្គ្រោះគ្រោះមហន្តរាយ",
    ),
    abstract=Bilingual("First line.\nSecond line, with a backslash \\ in it.", "បន្ទាត់ទីមួយ។\nបន្ទាត់ទីពីរ។"),
    guiding_question=Bilingual("Which challenges are common?", "តើបញ្ហាប្រឈមណាខ្លះជាបញ្ហារួម?"),
    tracks=("A", "B"),
    attribution=Attribution.CHR,
    people=(CHAIR, SPEAKER),
)
MOVED_SESSION = session(
    "D1-07",
    starts_at=datetime(2027, 3, 23, 6, 30, tzinfo=UTC),
    ends_at=datetime(2027, 3, 23, 8, 0, tzinfo=UTC),
    sequence=1,
    changed_at=MOVED,
)
CANCELLED = session(
    "D2-05",
    room="bassac",
    room_name=Bilingual("Bassac Room", "បន្ទប់បាសាក់"),
    tracks=("B",),
    starts_at=datetime(2027, 3, 24, 3, 30, tzinfo=UTC),
    ends_at=datetime(2027, 3, 24, 5, 0, tzinfo=UTC),
    cancelled=True,
    sequence=2,
    changed_at=MOVED,
)
OPEN_TIME = session("D2-06", starts_at=None, ends_at=None)
CLOSED = session(
    "C-01",
    title=Bilingual("A closed roundtable", "កិច្ចប្រជុំតុមូលបិទទ្វារ"),
    room="boardroom",
    room_name=Bilingual("Boardroom", "បន្ទប់ប្រជុំ"),
    attribution=Attribution.CLO,
    people=(replace(SPEAKER, code="closed-door-speaker"),),
)
SESSIONS = (OPENING, LONG, CLOSED, MOVED_SESSION, CANCELLED, OPEN_TIME)


def forum(**changes: object) -> Forum:
    """Two days in March 2027 in Phnom Penh."""
    values: dict[str, object] = {
        "id": 1,
        "slug": "small-forum",
        "title": Bilingual("A Small Forum, in full", "វេទិកាតូចមួយ"),
        "short_title": Bilingual("A Small Forum", "វេទិកាតូច"),
        "starts_on": date(2027, 3, 23),
        "ends_on": date(2027, 3, 24),
        "timezone": "Asia/Phnom_Penh",
        "venue_name": Bilingual("Cambodiana Hotel", "សណ្ឋាគារកាំបូឌីយ៉ាណា"),
        "venue_address": Bilingual("313 Sisowath Quay, Phnom Penh", "អគារលេខ ៣១៣ មហាវិថីព្រះស៊ីសុវត្ថិ រាជធានីភ្នំពេញ"),
        "latitude": 11.5622,
        "longitude": 104.9383,
        "created_at": PUBLISHED,
        "changed_at": PUBLISHED,
    }
    return Forum(**{**values, **changes})


def shelf(
    lang: Lang = "en",
    sessions: tuple[PublishedSession, ...] = SESSIONS,
    sign_ups: tuple[str, ...] = (),
    of: Forum | None = None,
) -> Shelf:
    """The small forum's shelf, version 3 published at `MOVED`."""
    programme = Programme(3, MOVED, 3, MOVED, None, sessions)
    return shelf_of(of or forum(), programme, TRACKS, sign_ups, lang, base_url=BASE_URL, revision=7)


def golden(lang: Lang) -> Path:
    return GOLDEN / f"forum-{lang}.ics"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for lang in LANGS:
        golden(lang).write_bytes(whole_forum(shelf(lang), now=NOW).body)
