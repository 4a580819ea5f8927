"""The walk: every address that answers a GET, for every attribution rule, as every kind of viewer may ask it.

Sessions of every kind are planted, each with words of its own in title, abstract, question, speaker and room. What is
not for a viewer is in no answer: neither these words nor the code. Each has a paper to read, and others that are not
released or withheld, told apart likewise. The addresses come from the route table, so a new
one fails the first test until it stands in `WALKED` or, with its reason, among the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.requests import Request

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit import clock
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.programme import sharing
from app.programme.editing import create
from app.programme.inputs import SessionInput
from app.programme.models import Material, Session
from app.programme.published import PublishedPerson, PublishedSession
from app.programme.rules.visibility import Attribution
from app.registration.picking import pick
from app.web.printed import booklet_values, poster_values
from app.web.public import read_as_public
from tests.breadth import some
from tests.cast import NOW, SLUG, the_forum
from tests.doors import Doors, Party, Standing, open_doors
from tests.embassies import delegate
from tests.papers import make_material, pdf
from tests.web.test_programme import publish_again

LANGS = ("en", "km")
DAY = "2027-03-23"
RULES = {
    "Rec": Attribution.REC,
    "Chr": Attribution.CHR,
    "Break": None,
    "Gone": Attribution.REC,
    "Closed": Attribution.CLO,
    "Shut": Attribution.CLO,
    "Turned": Attribution.CLO,
}
"""What is planted. Gone and Shut are cancelled; Turned was on the record in the version before."""
CODES = {"Rec": "W-01", "Chr": "W-02", "Break": "W-03", "Gone": "W-04", "Closed": "WC-01", "Shut": "WC-02"}
CODES["Turned"] = "WC-03"
HIDDEN = ("Closed", "Shut", "Turned")
DRAFT = "WalkDraft"
"""In the working copy alone."""
LATER, RELEASE = "WalkLater", NOW + timedelta(days=3)
"""A paper of every session, and of the forum as a whole, that nobody is told of before its release."""
SOON = "WalkSoon"
"""One that is announced: its title is told, where its session is, and its file is not given."""
WITHHELD = ("WalkRecRemoved", "WalkChrNotes", "WalkGonePaper")
"""Removed; what says who said what under the Chatham House Rule; that of a cancelled session."""

WHOLE = {
    "/{lang}/{forum}/programme",
    "/{lang}/{forum}/calendar.ics",
    "/{lang}/{forum}/calendar.json",
    "/{lang}/{forum}/days/{on}.ics",
    "/{lang}/{forum}/days/{on}.json",
    "/{lang}/{forum}/tracks/{slug}.ics",
    "/{lang}/{forum}/tracks/{slug}.json",
    "/{lang}/{forum}/programme.json",
    "/{lang}/{forum}/programme.xml",
    "/{lang}/{forum}/programme.csv",
    "/{lang}/{forum}/materials",
}
"""What names every public session that is on."""
OF_ONE = {
    "/{lang}/{forum}/programme/{code}",
    "/{lang}/{forum}/sessions/{code}.ics",
    "/{lang}/{forum}/sessions/{code}.json",
    "/{lang}/{forum}/programme/{code}/picture.png",
}
OF_A_SPEAKER = {
    "/{lang}/{forum}/speakers/{code}",
    "/{lang}/{forum}/speakers/{code}.ics",
    "/{lang}/{forum}/speakers/{code}.json",
}
IN_PART = {
    "/",
    "/{lang}/{forum}",
    "/{lang}/{forum}/programme/changes",
    "/{lang}/{forum}/programme/changes.atom",
    "/{lang}/{forum}/programme/versions/{number}",
    "/{lang}/{forum}/themes",
    "/{lang}/{forum}/themes/{slug}",
    "/{lang}/{forum}/speakers",
    "/{lang}/{forum}/calendar",
    "/{lang}/{forum}/register",
    "/{lang}/{forum}/picture.png",
    "/{lang}/{forum}/register/{category}",
    "/sitemap.xml",
    "/sitemaps/{forum}.xml",
    "/robots.txt",
}
OWN = {
    "/{lang}/my/{secret}",
    "/{lang}/my/{secret}/details",
    "/{lang}/my/{secret}/cancellation",
    "/{lang}/my/{secret}/companions",
    "/{lang}/my/{secret}/data",
    "/{lang}/my/{secret}/data.json",
    "/{lang}/my/{secret}/erasure",
    "/{lang}/my/{secret}/letters",
    "/{lang}/my/{secret}/materials",
    "/{lang}/my/{secret}/sessions",
    "/calendars/{token}.ics",
}
OF_A_DELEGATION = {
    "/{lang}/delegations/{secret}",
    "/{lang}/delegations/{secret}/people",
    "/{lang}/delegations/{secret}/people/{code}",
    "/{lang}/delegations/{secret}/people/{code}/substitution",
    "/{lang}/delegations/{secret}/list",
}
OF_A_MATERIAL = {
    "/{lang}/{forum}/materials/{material}/{language}",
    "/{lang}/my/{secret}/materials/{material}/{language}",
}
PRINTED = {"/{lang}/{forum}/programme.pdf", "/{lang}/{forum}/days/{on}.pdf"}
"""Their letters cannot be read back: what is handed to the printer is read instead."""
ELSEWHERE = {
    "/static/{rest:path}": "files of the site",
    "/healthz": "that the process answers",
    "/readyz": "how its parts stand",
    "/metrics": "counts, with routes by their templates",
    "/login": "who one is",
    "/account": "who one is",
    "/account/factor": "who one is",
    "/account/tokens": "who one is",
    "/login/code": "who one is",
    "/api/docs": "how programs ask",
    "/login/{link}": "who one is",
    "/{lang}/my/{secret}/files/{number}": "what the person sent",
    "/{lang}/my/{secret}/letters/{letter}.pdf": "the person and the forum's days",
    "/{lang}/delegations/list.{kind}": "an empty table",
    "/{lang}/invitations/{secret}": "one person's reply",
    "/{lang}/invitations/{secret}/registration": "the form of register/{category}",
    "/{lang}/invitations/{secret}/erasure": "one person's reply",
    "/{lang}/{forum}/speakers/{code}/photo.jpg": "pixels; whose may be seen, `test_photographs` asks",
    "/{lang}/unsubscribe/{secret}": "one address and the forum's title",
    "/{lang}/speaking/{secret}": "the sessions of one speaker, see `test_speaking`",
    "/{lang}/speaking/{secret}/photo.jpg": "what the speaker sent",
    "/{lang}/speaking/{secret}/erasure": "one person's page",
}
"""What says nothing of the programme, and why."""
WALKED = WHOLE | OF_ONE | OF_A_SPEAKER | IN_PART | OWN | OF_A_DELEGATION | OF_A_MATERIAL | PRINTED


def planted(kind: str, like: PublishedSession, attribution: Attribution | None) -> PublishedSession:
    """A session of this kind in the place of another, told apart by its words."""

    def word(part: str) -> Bilingual:
        return Bilingual(f"Walk{kind}{part}", f"ពាក្យ Walk{kind}{part}")

    person = PublishedPerson(
        f"walk{kind}".lower(), "speaker", word("Name"), word("Function"), word("House"), "KH", word("Bio")
    )
    return replace(
        like,
        uid=f"walk-{kind}@example".lower(),
        code=CODES[kind],
        title=word("Title"),
        abstract=word("Abstract"),
        guiding_question=word("Question"),
        room_name=word("Room"),
        attribution=attribution,
        people=(person,),
        cancelled=kind in {"Gone", "Shut"},
        overlap_intended=True,
    )


def plainly(answer: Any) -> str:
    """An answer as it is read: calendar lines unfolded, letters in one case."""
    return re.sub(r"\r\n[ \t]", "", answer.text).casefold()


def traces(text: str, kinds: tuple[str, ...] = HIDDEN) -> list[str]:
    """What of these kinds can be read in a text."""
    wanted = [*(f"walk{kind}" for kind in kinds), *(CODES[kind] for kind in kinds), DRAFT, LATER, *WITHHELD]
    return [word for word in wanted if word.casefold() in text.casefold()]


@dataclass(frozen=True, slots=True)
class Ground:
    """The site with everything planted, and who comes: two who hold seats, one of them admitted to Closed."""

    doors: Doors
    stranger: Standing
    admitted: Standing
    party: Party
    papers: dict[str, str]

    def addresses(self, path: str, lang: str, code: str = "", one: Standing | None = None) -> str:
        """A path filled in; `code` is a session's, a speaker's or a person's."""
        delegation = path in OF_A_DELEGATION
        secret = self.party.secret if delegation else one.secret if one else ""
        if path.startswith("/calendars"):
            secret = one.feed if one else self.party.feed
        return path.format(
            lang=lang,
            forum=SLUG,
            on=DAY,
            slug=self.slug(path),
            number="{number}",
            category="stu",
            code=code or (self.party.people[0] if delegation else ""),
            secret=secret,
            token=secret,
        )

    def slug(self, path: str) -> str:
        with self.doors.site.database.reading() as db:
            track = read_as_public(db, "en", SLUG).page.tracks[0]
        return track.themes[0][0] if "themes" in path else track.slug


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Ground]:
    with (
        clock.reading(lambda: NOW),
        open_doors(loaded_file, tmp_path_factory.mktemp("walk"), forum_file) as doors,
    ):
        with doors.site.database.reading() as db:
            seen = read_as_public(db, "en", SLUG)
        first = seen.page.tracks[0].code
        like = next(one for one in seen.programme.sessions if first in one.tracks and one.themes and one.starts_at)
        assert like.starts_at is not None
        rules = {**RULES, "Turned": Attribution.REC}
        publish_again(doors.site, lambda one: one, [planted(kind, like, rule) for kind, rule in rules.items()])
        publish_again(doors.site, lambda one: planted("Turned", one, RULES["Turned"]) if one.code == "WC-03" else one)
        draft = {"title": Bilingual(DRAFT, DRAFT), "abstract": Bilingual(DRAFT, DRAFT)}
        sessions = table(Session)
        doors.write(SLUG, lambda db: db.execute(update(sessions).where(sessions.c.code == "D1-01").values(**draft)))
        stranger, admitted = doors.confirmed(), doors.confirmed()

        def admit(db: Db) -> None:
            pick(db, Actor.operator(), the_forum(db), admitted.code, "WC-01", now=NOW, forced=True)

        doors.write(SLUG, admit)
        papers = doors.write(SLUG, plant_papers)
        yield Ground(doors, stranger, admitted, doors.delegate(delegate(1)), papers)


def plant_papers(db: Db) -> dict[str, str]:
    """Papers of every planted session, of the forum as a whole and of a session that nobody published; their codes by
    the words in their titles and files."""
    drafted = SessionInput(code="WD-01", type="panel", title=Bilingual(DRAFT, DRAFT))
    create(db, Actor.operator(), the_forum(db), drafted, now=NOW)
    papers: dict[str, str] = {}

    def plant(name: str, uid: str | None, **changes: Any) -> None:
        code = make_material(db, {"en": pdf(f"{name}Bytes")}, title=Bilingual(name, name), **changes)
        db.execute(update(table(Material)).where(table(Material).c.code == code).values(session_uid=uid))
        papers[name] = code

    later: dict[str, Any] = {"release": "at", "release_at": RELEASE}
    for kind in RULES:
        uid = f"walk-{kind}@example".lower()
        plant(f"Walk{kind}Paper", uid)
        # a mark of its own: words of a hidden session would be found before the release that is asked about
        plant(f"{LATER}{kind}", uid, **later)
    plant(f"{LATER}Forum", None, **later)
    plant(f"{SOON}Forum", None, announced=True, **later)
    plant(f"{SOON}Rec", "walk-rec@example", announced=True, **later)
    plant("WalkForumPaper", None)
    plant("WalkClosedSoon", "walk-closed@example", announced=True, **later)
    plant("WalkChrNotes", "walk-chr@example", kind="notes")
    plant("WalkRecRemoved", "walk-rec@example")
    sharing.remove(db, Actor.operator(), the_forum(db), papers["WalkRecRemoved"], now=NOW)
    session = db.execute(select(table(Session).c.uid).where(table(Session).c.code == "WD-01")).scalar_one()
    plant(f"{DRAFT}Paper", session)
    return papers


def test_every_address_that_answers_a_get_is_walked_or_says_why_not(ground: Ground) -> None:
    read = {path for method, path in ground.doors.routes if method == "GET" and not path.startswith("/desk")}
    assert read == WALKED | set(ELSEWHERE)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", sorted(WHOLE | IN_PART))
def test_everybody_finds_what_is_public_and_no_trace_of_the_rest(ground: Ground, path: str, lang: str) -> None:
    address = ground.addresses(path, lang)
    for number in (1, 2) if "{number}" in address else (0,):
        answer = ground.doors.get(address.replace("{number}", str(number)))
        assert answer.status_code in {200, 303, 307}, address
        text = plainly(answer)
        assert traces(text) == [], address
        if path in WHOLE:
            assert [kind for kind in ("Rec", "Chr", "Break") if f"walk{kind}title".casefold() not in text] == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", sorted(OF_ONE | OF_A_SPEAKER))
def test_what_is_closed_answers_as_what_never_was(ground: Ground, path: str, lang: str) -> None:
    for kind in RULES:
        code = f"walk{kind}".lower() if path in OF_A_SPEAKER else CODES[kind]
        answer = ground.doors.get(ground.addresses(path, lang, code))
        if kind not in HIDDEN:
            assert (kind, answer.status_code) == (kind, 200)
            assert traces(plainly(answer)) == []
            continue
            unknown = "walknobody" if path in OF_A_SPEAKER else "WC-99"
            never = ground.doors.get(ground.addresses(path, lang, unknown))
            assert (kind, answer.status_code, never.status_code) == (kind, 404, 404)
            assert answer.text.replace(code, unknown) == never.text, "but for the address that was asked"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("part", ["Title", "Abstract", "Question", "Name", "Room"])
def test_search_finds_no_word_of_what_is_closed_or_not_published(ground: Ground, part: str, lang: str) -> None:
    for word in [*(f"Walk{kind}{part}" for kind in HIDDEN), DRAFT]:
        answer = ground.doors.get(f"/{lang}/{SLUG}/programme?q={word}")
        assert (word, answer.text.count('<article class="session')) == (word, 0)
    assert f'/programme/{CODES["Rec"]}"' in ground.doors.get(f"/{lang}/{SLUG}/programme?q=WalkRecTitle").text


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", sorted(OWN))
def test_who_is_admitted_finds_that_session_alone_and_another_guest_nothing(
    ground: Ground, path: str, lang: str
) -> None:
    theirs = ground.doors.get(ground.addresses(path, lang, one=ground.stranger))
    mine = ground.doors.get(ground.addresses(path, lang, one=ground.admitted))
    assert (theirs.status_code, mine.status_code) == (200, 200)
    assert traces(plainly(theirs)) == []
    assert traces(plainly(mine), ("Shut", "Turned")) == []
    if path.endswith(("/sessions", ".ics", "/materials")):
        assert "walkclosedtitle" in plainly(mine)


OPEN = {"WalkRecPaper", "WalkChrPaper", "WalkBreakPaper", "WalkForumPaper"}
"""What everybody may read before the release."""
RELEASED = OPEN | {f"{LATER}{kind}" for kind in ("Rec", "Chr", "Break", "Forum")} | {f"{SOON}Rec", f"{SOON}Forum"}
OF_THE_ADMITTED = {"WalkClosedPaper"}


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("lang", some(LANGS, 1, each=2))
@pytest.mark.parametrize("path", sorted(OF_A_MATERIAL))
def test_a_file_is_given_to_whom_it_is_there_and_from_its_release_on(
    ground: Ground, path: str, lang: str, released: bool
) -> None:
    everybodys = RELEASED if released else OPEN
    admitted = OF_THE_ADMITTED | ({"WalkClosedSoon", f"{LATER}Closed"} if released else set())
    viewers = {"stranger": (ground.stranger, everybodys), "admitted": (ground.admitted, everybodys | admitted)}
    if "{secret}" not in path:
        viewers = {"everybody": (ground.stranger, everybodys)}
    with clock.reading(lambda: RELEASE if released else NOW):
        for name, (one, expected) in viewers.items():
            given = set()
            for paper, code in ground.papers.items():
                address = path.format(lang=lang, forum=SLUG, secret=one.secret, material=code, language="en")
                answer = ground.doors.get(address)
                assert answer.status_code in {200, 404}
                assert (f"{paper}Bytes" in answer.text) == (answer.status_code == 200)
                given |= {paper} if answer.status_code == 200 else set()
            assert given == expected, name


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_announced_is_named_before_its_release_and_what_is_released_everywhere_after_it(
    ground: Ground, lang: str
) -> None:
    pages = ("", "/materials", f"/programme/{CODES['Rec']}", "/programme.json", "/programme.xml")
    before = {page: ground.doors.get(f"/{lang}/{SLUG}{page}").text for page in pages}
    assert [f"{SOON}Forum" in before[page] for page in pages] == [True, True, False, False, False]
    assert [f"{SOON}Rec" in before[page] for page in pages] == [False, True, True, False, False]
    soon = [ground.papers[f"{SOON}{name}"] for name in ("Rec", "Forum")]
    assert not any(code in text for code in soon for text in before.values()), "no way to the file"
    with clock.reading(lambda: RELEASE):
        after = {page: ground.doors.get(f"/{lang}/{SLUG}{page}?after").text for page in pages}
    assert [f"{LATER}Rec" in after[page] for page in pages] == [False, True, True, True, True]
    for text in after.values():
        hidden = [*(f"{LATER}{kind}" for kind in (*HIDDEN, "Gone")), *WITHHELD, DRAFT, "WalkClosed", "WC-"]
        assert [word for word in hidden if word in text] == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", [*sorted(OF_A_DELEGATION), "/calendars/{token}.ics"])
def test_a_delegation_sees_what_everybody_sees(ground: Ground, path: str, lang: str) -> None:
    answer = ground.doors.get(ground.addresses(path, lang))
    assert answer.status_code == 200
    assert traces(plainly(answer)) == []


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_printed_is_handed_nothing_closed(ground: Ground, lang: Any) -> None:
    asked = Request(
        {"type": "http", "app": ground.doors.app, "path": "/", "query_string": b"", "headers": [], "method": "GET"}
    )
    with ground.doors.site.database.reading() as db:
        seen = read_as_public(db, lang, SLUG)
    days = {seen.local_day(one.starts_at) for one in seen.programme.sessions if one.starts_at}
    handed = [repr(booklet_values(asked, seen)), *(repr(poster_values(asked, seen, day)) for day in sorted(days))]
    assert [traces(values) for values in handed] == [[] for _ in handed]
    assert "WalkRecTitle" in handed[0]


def test_nobody_outside_the_desk_is_shown_a_page_of_it(ground: Ground) -> None:
    for path in {path for method, path in ground.doors.routes if method == "GET" and path.startswith("/desk/{forum}")}:
        answer = ground.doors.get(re.sub(r"\{\w+\}", "WC-01", path.replace("{forum}", SLUG)))
        assert answer.status_code in {303, 307, 404}, path
        assert "walkclosed" not in plainly(answer)
