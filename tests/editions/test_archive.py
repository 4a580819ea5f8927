"""A whole forum as an archive and back: row by row, links renewed, calendars the same, nothing damaged let in."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Role
from app.audit.recording import first_broken, history
from app.calendars import feeds
from app.calendars.shelves import Shelves
from app.correspondence.mailboxes import mailbox_key, open_mailbox
from app.correspondence.models import Mailbox, Mailing, OwnWords
from app.editions import archive_plan
from app.editions.archive_plan import BELONGS, LEFT_OUT, MAILBOXES, RENEWED, USERS, WAITING, tables
from app.editions.archiving import note_archived, write_archive
from app.editions.form import ForumFile
from app.editions.loading import load
from app.editions.reading_archive import read_archive
from app.editions.unarchiving import unarchive
from app.forum import setting
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.forum.setting_inputs import PARTS
from app.jobs.models import Cursor
from app.kit import clock
from app.kit.db import Database, Db, table
from app.kit.errors import Forbidden, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.kit.migrating import migrate
from app.kit.pen import Pen
from app.kit.trouble import UNWRITABLE, trouble_of
from app.mail.models import Attempt, Message
from app.programme.models import Override, Session
from app.programme.subscribing import renew_subscription
from app.registration.desk_inputs import TagInput
from app.registration.merging import say_distinct
from app.registration.models import (
    Application,
    Consent,
    Enclosure,
    File,
    Following,
    HeadTable,
    KeptLine,
    KeptList,
    Ladder,
    Question,
    Rank,
    Rung,
    TableGuest,
    Tag,
    View,
)
from app.registration.queries import own_registration
from app.registration.tagging import put_tag
from tests import cluster
from tests.breadth import EXAMPLES
from tests.cast import DARA, NOW, SECRET, SLUG, make_actor, the_forum
from tests.conftest import ROOT, opened
from tests.doors import Doors, furnish, open_doors

OPERATOR = Actor.operator()
THERE = b"the secret of the other installation, long enough"
READER = "reader@elsewhere.example"
WORDS = Bilingual("Ambassadors", "ឯកអគ្គរដ្ឋទូត")
LATER = NOW + timedelta(days=3)
LAYOUT = {"language": "en", "group": "category", "all_live": False}


@dataclass(frozen=True, slots=True)
class Packed:
    """A furnished forum, its archive, and the secrets of a page and of a calendar that were good there."""

    doors: Doors
    body: bytes
    secret: str
    code: str


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Packed]:
    with (
        clock.reading(lambda: NOW),
        open_doors(loaded_file, tmp_path_factory.mktemp("archive"), forum_file, SMTP_URL="smtp://127.0.0.1:9") as doors,
    ):
        shown = furnish(doors)
        doors.enrol("registrar", Role.REGISTRAR)
        doors.write(SLUG, lambda db: fill_the_rest(db, shown.standings))
        body = io.BytesIO()
        doors.write(SLUG, lambda db: note_archived(db, OPERATOR, the_forum(db), now=NOW))
        with doors.site.database.reading() as db:
            write_archive(db, OPERATOR, the_forum(db), body, SECRET, now=NOW)
        one = shown.standings["confirmed"]
        yield Packed(doors, body.getvalue(), one.secret, one.code)


def fill_the_rest(db: Db, standings: Any) -> None:
    """What the deeds of `furnish` leave empty."""
    forum = the_forum(db)
    own, secret = forum_id(forum), b"x" * 32
    by = make_actor(db, DARA, Role.REGISTRAR)
    renew_subscription(db, by, forum, "en", secret, now=NOW)
    state = setting.state_of(db, forum, "place")
    sent = parse(PARTS["place"], {**state, "venue_note": {"en": "By the river", "km": "ជាប់ទន្លេ"}})
    setting.put_part(db, OPERATOR, forum, "place", sent, mark=setting.mark_of(state), now=NOW)
    say_distinct(db, OPERATOR, forum, standings["confirmed"].code, standings["khmer"].code, now=NOW)
    person = standings["confirmed"].id
    mails, mailboxes = table(Message), table(Mailbox)
    told = {"to_address": READER, "trace": f"00-{'a' * 32}-{'b' * 16}-01"}
    mail = db.execute(update(mails).where(mails.c.id == 1).values(**told).returning(mails.c.id)).scalar_one()
    db.execute(delete(mailboxes))  # one that no mail names is nobody's any more
    opted = open_mailbox(db, forum, READER, SECRET).id
    db.execute(update(mailboxes).where(mailboxes.c.id == opted).values(opted_out_at=NOW))
    asked = db.execute(select(table(Question).c.id).limit(1)).scalar_one()
    tag = db.execute(select(table(Tag).c.id).limit(1)).scalar_one()
    first = (table(Mailing).c.forum_id == own) & (table(Mailing).c.number == 1)
    db.execute(update(table(Mailing)).where(first).values(segment={"audience": "people", "tag": str(tag)}))
    for model, values in (
        (
            Override,
            {"forum_id": own, "kind": "room", "codes": "D1-02", "place": "", "reason": "x", "by_name": "x", "at": NOW},
        ),
        (Consent, {"application_id": person, "question_id": asked, "wording": "x", "language": "en", "given_at": NOW}),
        (Following, {"application_id": person, "told": 1}),
        (Attempt, {"message_id": mail, "at": NOW, "outcome": "sent", "said": "250 ok"}),
        (OwnWords, {"forum_id": own, "template": "registration/seated", "edition": 1, "written_at": NOW}),
        (View, {"forum_id": own, "user_id": by.id, "name": "x", "question": "tag=1", "made_at": NOW}),
        (Ladder, {"forum_id": own, "alphabet": "fr"}),
        (Rung, {"id": 7, "forum_id": own, "code": "x", "name": WORDS, "heads": False, "position": 0, "edition": 1}),
        (Rank, {"application_id": person, "rung_id": 7, "since": None, "reason": "x"}),
        (HeadTable, {"forum_id": own, "seats": 8, "shape": "row", "edition": 1}),
        (TableGuest, {"application_id": person, "forum_id": own, "seat": 1}),
        (KeptList, {"id": 7, "forum_id": own, "number": 1, "made_at": NOW, "layout": LAYOUT}),
        (KeptLine, {"list_id": 7, "position": 0, "application_id": person, "line": {"name": "x"}}),
        (
            File,
            {
                "application_id": person,
                "question_id": asked,
                "name": "x.pdf",
                "media_type": "application/pdf",
                "size": 1,
                "body": b"x",
                "sent_at": NOW,
            },
        ),
        (Cursor, {"reaction": "tell_affected", "forum_id": own, "number": 3, "within": 0}),
        (
            Enclosure,
            {
                "application_id": person,
                "mailbox": "x",
                "message_id": "<kept@sala>",
                "uid": "x",
                "method": "REQUEST",
                "sequence": 0,
                "version": 1,
                "made_at": NOW,
            },
        ),
    ):
        db.execute(insert(table(model)).values(**values))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "sala.sqlite"
    with opened(f"sqlite:///{path}") as database:
        migrate(database)
    return path


@pytest.fixture
def elsewhere(empty_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An installation with nothing in it."""
    path = tmp_path / "elsewhere.sqlite"
    path.write_bytes(empty_file.read_bytes())
    with opened(f"sqlite:///{path}") as database:
        yield database


def bring(database: Database, body: bytes) -> Any:
    with read_archive(io.BytesIO(body)) as archive:
        return Pen(database).write_now(archive.slug, lambda db: unarchive(db, OPERATOR, archive, THERE, now=LATER))


def rows_of(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.reading() as db:
        forum = the_forum(db)
        return {
            each.name: [
                dict(row)
                for row in db.execute(
                    select(each).where(archive_plan.belonging(each, forum_id(forum), SLUG)).order_by(*each.primary_key)
                ).mappings()
            ]
            for each in tables()
        }


def as_renewed(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row as it must stand elsewhere but for the digests of its links, which nobody can foresee."""
    found = dict(row)
    for _, generation, kept, _ in RENEWED.get(name, ()):
        if row[kept]:
            found |= {generation: row[generation] + 1, kept: "another"}
    if name == MAILBOXES:
        found["who"] = mailbox_key(SLUG, READER, THERE)
    if name == "correspondence_mailing" and row["state"] == "scheduled":
        found |= {"state": "draft", "send_at": None}
    if name == "mail_message":
        found["claimed_at"] = None if row["state"] in WAITING else row["claimed_at"]
        found["state"] = "withheld" if row["state"] in WAITING else row["state"]
        found["trace"] = None  # of the other installation's collector
    return found


def without_digests(name: str, row: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    found = dict(row)
    for _, _, kept, _ in RENEWED.get(name, ()):
        if row[kept]:
            assert row[kept] != before[kept], "the link of the other installation ends"
            found[kept] = "another"
    return found


def test_every_table_is_in_the_archive_or_says_why_not():
    known = {each.name for each in SQLModel.metadata.sorted_tables}
    assert known == {*BELONGS, *LEFT_OUT, USERS}
    assert not {*BELONGS} & {*LEFT_OUT}


def test_the_commands_bring_in_every_table_by_themselves():
    asked = "from app.cli import archive; from app.editions.archive_plan import tables; assert tables()"
    subprocess.run([sys.executable, "-c", asked], check=True, cwd=ROOT, timeout=60)


def holds_against(packed: Packed, database: Database) -> None:
    """Every row that was there is here, and nothing more but the fact that it came."""
    done = bring(database, packed.body)
    there, here = rows_of(packed.doors.site.database), rows_of(database)
    assert [name for name, rows in there.items() if not rows] == [], "what is empty shows nothing"
    users = {row["id"]: row["email"] for row in users_of(packed.doors.site.database)}
    mine = {row["email"]: row["id"] for row in users_of(database)}
    for name, rows in there.items():
        if name == "audit_head":
            continue
        came = here[name][:-1] if name == "audit_fact" else here[name]
        assert len(came) == len(rows), name
        for before, after in zip(rows, came, strict=True):
            wanted = as_renewed(name, before)
            if before.get("user_id") is not None:
                wanted["user_id"] = mine[users[before["user_id"]]]
            if name == "mail_message" and before["subject"].startswith("user:"):
                wanted["subject"] = f"user:{mine[users[int(before['subject'][5:])]]}"
            assert without_digests(name, after, before) == wanted, name
    assert here["audit_fact"][-1]["kind"] == "forum.unarchived"
    assert done.withheld == sum(row["state"] in WAITING for row in there["mail_message"])
    assert done.withheld > 0


def users_of(database: Database) -> list[dict[str, Any]]:
    with database.reading() as db:
        return [dict(row) for row in db.execute(select(table(User))).mappings()]


def test_it_comes_back_row_by_row_into_an_empty_installation(packed: Packed, elsewhere: Database):
    holds_against(packed, elsewhere)
    with elsewhere.reading() as db:
        assert first_broken(db, SLUG) is None, "the chain goes on"
        forum = the_forum(db)
        assert history(db, SLUG, f"forum:{SLUG}")[-1].after["facts"] > 10
        for user in users_of(elsewhere):
            assert not user["site_owner"]
            assert not user["factor"]
        row = db.execute(select(table(Application)).where(table(Application).c.code == packed.code)).one()
        fresh = archive_plan.manage_token(THERE, row.id, row.manage_generation)
        assert own_registration(db, fresh).row.code == packed.code
        with pytest.raises(NotFound):
            own_registration(db, packed.secret)
        mine = feed(db)
        assert forum.sequence >= 0
    with packed.doors.site.database.reading() as db:
        assert feed(db) == mine, "calendars take it for the same: UIDs, SEQUENCEs, bytes"


def feed(db: Db) -> bytes:
    shelf = Shelves().at(db, SLUG, "en", "https://sala.example")
    return feeds.whole_forum(shelf, now=NOW).body


@pytest.mark.postgres
def test_it_comes_back_row_by_row_on_postgresql(packed: Packed, postgres_base: str):
    with cluster.copy_of(postgres_base, "archive_elsewhere", "template0") as url, opened(url) as database:
        migrate(database)
        holds_against(packed, database)
        with database.reading() as db:
            assert first_broken(db, SLUG) is None
        Pen(database).write_now(SLUG, lambda db: note_archived(db, OPERATOR, the_forum(db), now=LATER))


def test_beside_another_forum_its_numbers_move_together(packed: Packed, elsewhere: Database, forum_file: ForumFile):
    named = forum_file.forum.model_copy(update={"slug": "another", "featured": True})
    other = forum_file.model_copy(update={"forum": named, "calendar": {}, "forum_calendar": None})
    Pen(elsewhere).write_now("another", lambda db: load(db, OPERATOR, other, now=NOW))
    front = TagInput(name="Front row", letter="F", tone="red")
    Pen(elsewhere).write_now("another", lambda db: put_tag(db, OPERATOR, the_forum(db, "another"), front, now=NOW))
    bring(elsewhere, packed.body)
    there, here = rows_of(packed.doors.site.database), rows_of(elsewhere)
    assert {name: len(rows) for name, rows in here.items()} == {
        name: len(rows) + (name == "audit_fact") for name, rows in there.items()
    }
    assert here["forum_forum"][0]["id"] != there["forum_forum"][0]["id"]
    tags = [rows["registration_tag"][0]["id"] for rows in (there, here)]
    assert tags[0] != tags[1]
    assert here["correspondence_mailing"][0]["segment"]["tag"] == str(tags[1]), "it is for those marked as it was"
    assert here["forum_forum"][0]["featured"] is False, "the other forum stays the featured one"
    with elsewhere.reading() as db:
        assert first_broken(db, SLUG) is None
        joined = select(func.count()).select_from(table(Application)).join(table(Forum))
        assert db.execute(joined.where(table(Forum).c.slug == SLUG)).scalar_one() == len(
            there["registration_application"]
        )
    with pytest.raises(Refused, match="archive_slug_taken"):
        bring(elsewhere, packed.body)


def test_only_an_owner_takes_it(packed: Packed):
    with packed.doors.site.database.reading() as db:
        organiser = Actor("user", 1, roles={forum_id(the_forum(db)): frozenset({Role.ORGANISER})})
        with pytest.raises(Forbidden):
            write_archive(db, organiser, the_forum(db), io.BytesIO(), SECRET, now=NOW)


def test_no_secret_of_an_installation_is_in_it(packed: Packed):
    with zipfile.ZipFile(io.BytesIO(packed.body)) as read:
        users = [json.loads(line) for line in read.read(f"tables/{USERS}.jsonl").splitlines()]
        assert {key for user in users for key in user} == {"id", "email", "name"}
        text = b"".join(read.read(name) for name in read.namelist())
    assert packed.secret.encode() not in text
    assert b"accounts_login" not in text


# ---- what is damaged or hostile


def changed(body: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The archive with other members."""
    with zipfile.ZipFile(io.BytesIO(body)) as read:
        members = {name: read.read(name) for name in read.namelist()}
    change(members)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in members.items():
            into.writestr(name, content)
    return made.getvalue()


def with_rows(
    members: dict[str, bytes], name: str, change: Callable[[dict[str, Any]], None], *, fits: bool, ascii_: bool = False
) -> None:
    """Change the first row of a table; with `fits` the manifest is made to say so too."""
    member = f"tables/{name}.jsonl"
    first, *rest = members[member].splitlines()
    row = json.loads(first)
    change(row)
    members[member] = b"\n".join([json.dumps(row, ensure_ascii=ascii_).encode(), *rest]) + b"\n"
    if fits:
        manifest = json.loads(members["manifest.json"])
        told = {"sha256": hashlib.sha256(members[member]).hexdigest(), "size": len(members[member])}
        manifest["members"][member] = told
        members["manifest.json"] = json.dumps(manifest).encode()


def manifest_with(members: dict[str, bytes], /, **changes: Any) -> None:
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **changes}).encode()


HOSTILE: dict[str, tuple[str, Callable[[dict[str, bytes]], None]]] = {
    "a changed row": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_application", lambda row: row.update(family_name="Else"), fits=False),
    ),
    "a changed fact": (
        "archive_damaged",
        lambda m: with_rows(m, "audit_fact", lambda row: row.update(kind="x"), fits=True),
    ),
    "a row of another forum": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_application", lambda row: row.update(forum_id=99), fits=True),
    ),
    "a mail of another forum": (
        "archive_damaged",
        lambda m: with_rows(m, "mail_message", lambda row: row.update(forum="another"), fits=True),
    ),
    "a row that points at nothing": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_seat", lambda row: row.update(category_id=10**6), fits=True),
    ),
    "a text for a number": (
        "archive_damaged",
        lambda m: with_rows(m, "forum_objective", lambda row: row.update(number="one"), fits=True),
    ),
    "no instant": (
        "archive_damaged",
        lambda m: with_rows(m, "forum_forum", lambda row: row.update(created_at="then"), fits=True),
    ),
    "a column more": (
        "archive_damaged",
        lambda m: with_rows(m, "forum_forum", lambda row: row.update(owner=True), fits=True),
    ),
    "a right on the site": (
        "archive_damaged",
        lambda m: with_rows(m, USERS, lambda row: row.update(site_owner=True), fits=True),
    ),
    "a role that there is not": (
        "archive_damaged",
        lambda m: with_rows(m, "forum_role_grant", lambda row: row.update(role="god"), fits=True),
    ),
    "a number beyond all columns": (
        "archive_damaged",
        lambda m: with_rows(m, "forum_forum", lambda row: row.update(sequence=10**30), fits=True),
    ),
    "half a letter": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_note", lambda row: row.update(words=chr(0xD800)), fits=True, ascii_=True),
    ),
    "no number where one may be": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_kept_list", lambda row: row.update(layout=[float("nan")]), fits=True),
    ),
    "an instant that is none in UTC": (
        "archive_damaged",
        lambda m: with_rows(
            m, "forum_forum", lambda row: row.update(created_at="0001-01-01T00:00:00+14:00"), fits=True
        ),
    ),
    "a text for a list": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_application", lambda row: row.update(titles="H.E."), fits=True),
    ),
    "a list of numbers for one of texts": (
        "archive_damaged",
        lambda m: with_rows(m, "programme_session", lambda row: row.update(tracks=[1]), fits=True),
    ),
    "a list for an object": (
        "archive_damaged",
        lambda m: with_rows(m, "mail_message", lambda row: row.update(values=[]), fits=True),
    ),
    "an object for an answer": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_answer", lambda row: row.update(value={"a": 1}), fits=True),
    ),
    "a version with a session that no page can show": (
        "archive_damaged",
        lambda m: with_rows(
            m, "programme_version", lambda row: row["document"]["sessions"][0].update(title=[1, 2]), fits=True
        ),
    ),
    "a version with a session of no age": (
        "archive_damaged",
        lambda m: with_rows(
            m,
            "programme_version",
            lambda row: row["document"]["sessions"][0].update(starts_at="9999-12-31T23:59:59+00:00"),
            fits=True,
        ),
    ),
    "a kept list laid out in no way": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_kept_list", lambda row: row.update(layout={"columns": 7}), fits=True),
    ),
    "a version of nothing": (
        "archive_damaged",
        lambda m: with_rows(m, "programme_version", lambda row: row.update(document={}), fits=True),
    ),
    "a missing table": ("archive_damaged", lambda m: m.pop("tables/forum_track.jsonl") and None),
    "a member more": ("archive_damaged", lambda m: m.update({"tables/x.jsonl": b"{}"})),
    "a path upwards": ("archive_damaged", lambda m: m.update({"../../etc/passwd": b"x"})),
    "no manifest": ("archive_damaged", lambda m: m.pop("manifest.json") and None),
    "a manifest that is no JSON": ("archive_damaged", lambda m: m.update({"manifest.json": b"{"})),
    "another form": ("archive_other_form", lambda m: manifest_with(m, format="sala-archive/9")),
    "another release": ("archive_other_schema", lambda m: manifest_with(m, schema="20200101_0000")),
    "a text that PostgreSQL does not take": (
        "archive_damaged",
        lambda m: with_rows(m, "registration_application", lambda row: row.update(family_name="a\0b"), fits=True),
    ),
    "no slug": ("archive_damaged", lambda m: manifest_with(m, forum="../x")),
    "a reserved slug": ("archive_damaged", lambda m: manifest_with(m, forum="site")),
    "another end of the chain": ("archive_damaged", lambda m: manifest_with(m, head={"number": 1, "hash": "x"})),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_damaged_or_not_ours_is_refused_whole(packed: Packed, elsewhere: Database, name: str):
    code, change = HOSTILE[name]
    with pytest.raises(Refused, match=code):
        bring(elsewhere, changed(packed.body, change))
    with elsewhere.reading() as db:
        assert db.execute(select(func.count()).select_from(table(Forum))).scalar_one() == 0
        assert db.execute(select(func.count()).select_from(table(Message))).scalar_one() == 0


ODD: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "a tag that is a list": ("registration_bulk", lambda row: row.update(values={"tag": [1]})),
    "a mailing for a tag of nobody": ("correspondence_mailing", lambda row: row.update(segment={"tag": {"a": 1}})),
    "a mail about a number without end": ("mail_message", lambda row: row.update(subject=f"user:{'9' * 5000}")),
}


@pytest.mark.parametrize("name", ODD)
def test_what_only_reads_oddly_is_taken_as_it_stands(packed: Packed, elsewhere: Database, name: str):
    where, change = ODD[name]
    bring(elsewhere, changed(packed.body, lambda m: with_rows(m, where, change, fits=True)))
    with elsewhere.reading() as db:
        assert first_broken(db, SLUG) is None


@pytest.mark.parametrize("name", ["registration_pick", "registration_sign_up"])
def test_nothing_of_it_takes_places_in_a_session_of_another_forum(
    packed: Packed, elsewhere: Database, forum_file: ForumFile, name: str
):
    named = forum_file.forum.model_copy(update={"slug": "another"})
    other = forum_file.model_copy(update={"forum": named, "calendar": {}, "forum_calendar": None})
    Pen(elsewhere).write_now("another", lambda db: load(db, OPERATOR, other, now=NOW))
    with elsewhere.reading() as db:
        uid = db.execute(select(table(Session).c.uid).limit(1)).scalar_one()
    forged = changed(packed.body, lambda m: with_rows(m, name, lambda row: row.update(session_uid=uid), fits=True))
    with pytest.raises(Refused, match="archive_in_the_way"):
        bring(elsewhere, forged)


def test_a_database_that_cannot_be_written_is_no_fault_of_the_archive(packed: Packed, elsewhere: Database):
    with elsewhere.read_engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(elsewhere.write_engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages + 8}"))
    with pytest.raises(OperationalError) as told:
        bring(elsewhere, packed.body)
    assert trouble_of(told.value) == UNWRITABLE


def test_what_is_no_archive_at_all_is_refused(packed: Packed, elsewhere: Database):
    for body in (b"", b"PK", b"x" * 1000, packed.body[: len(packed.body) // 2], packed.body[1000:]):
        with pytest.raises(Refused, match="archive_damaged"):
            bring(elsewhere, body)
    twice = io.BytesIO(packed.body)
    with zipfile.ZipFile(twice, "a") as into, pytest.warns(UserWarning, match="Duplicate"):
        into.writestr("manifest.json", "{}")
    with pytest.raises(Refused, match="archive_damaged"):
        bring(elsewhere, twice.getvalue())


def test_a_bomb_is_not_unpacked(packed: Packed, elsewhere: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.editions.reading_archive.MOST_BYTES", 100_000)
    with pytest.raises(Refused, match="archive_too_large"):
        bring(elsewhere, packed.body)


# ---- whatever somebody may write into one

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["\x00", "x" * 70_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2027-13-01"]),
    st.sampled_from(["2027-01-01", "2027-01-01T00:00:00", "../..", 10**400]),
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=3)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(st.sampled_from(["en", "km", "file", "sessions", "tag", "a"]), inner, max_size=3),
        ),
        max_leaves=4,
    ),
)
CHANGES = st.lists(st.tuples(st.integers(0), st.integers(0), st.integers(0), VALUES), min_size=1, max_size=2)


def test_whatever_stands_in_a_row_it_is_taken_or_refused_whole(packed: Packed, elsewhere: Database):
    """Rows that were made to fit their sums, as somebody would who means it."""
    with zipfile.ZipFile(io.BytesIO(packed.body)) as read:
        members = {name: read.read(name) for name in read.namelist()}
    filled = sorted(name for name, body in members.items() if name.startswith("tables/") and body.strip())

    @settings(max_examples=EXAMPLES or 12, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(CHANGES)
    def take(changes: list[tuple[int, int, int, Any]]) -> None:
        one = dict(members)
        for which, column, inner, value in changes:
            name = filled[which % len(filled)].removeprefix("tables/").removesuffix(".jsonl")

            def spoil(row: dict[str, Any], column: int = column, inner: int = inner, value: Any = value) -> None:
                key = sorted(row)[column % len(row)]
                within = row[key]
                if isinstance(within, dict) and within and inner % 2:
                    within[sorted(within)[inner % len(within)]] = value
                elif isinstance(within, list) and within and inner % 2:
                    within[inner % len(within)] = value
                else:
                    row[key] = value

            with_rows(one, name, spoil, fits=True)
        with elsewhere.reading() as db:
            before = db.execute(select(func.count()).select_from(table(Forum))).scalar_one()
        assert before == 0
        try:
            with read_archive(io.BytesIO(changed(packed.body, lambda m: m.update(one)))) as archive:
                Pen(elsewhere).write_now(archive.slug, lambda db: unarchived_and_back(db, archive))
        except (Refused, Looked):
            pass

    take()


class Looked(Exception):
    """It was taken, and is taken back."""


def unarchived_and_back(db: Db, archive: Any) -> None:
    unarchive(db, OPERATOR, archive, THERE, now=LATER)
    raise Looked


def whole_or_refused(body: bytes) -> Any:
    """The rows that are read of an archive; None where it is refused."""
    try:
        with read_archive(io.BytesIO(body)) as archive:
            return archive.rows
    except Refused:
        return None


@pytest.fixture(scope="module")
def sound(packed: Packed) -> Any:
    """What is read of the archive as it was made."""
    return whole_or_refused(packed.body)


A_FEW = settings(max_examples=EXAMPLES or 10)
"""The whole archive is read each time."""


@A_FEW
@given(spoiling=st.data())
def test_whatever_is_cut_out_of_it_or_put_in_it_is_read_whole_or_refused(
    packed: Packed, sound: Any, spoiling: st.DataObject
):
    at = spoiling.draw(st.integers(0, len(packed.body)))
    put, cut = spoiling.draw(st.binary(max_size=40)), spoiling.draw(st.integers(0, 40))
    assert whole_or_refused(packed.body[:at] + put + packed.body[at + cut :]) in (None, sound)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("value", [None, {}, [], "members", {"manifest.json": None}, {"tables/forum_forum.jsonl": {}}])
def test_whatever_the_manifest_says_of_the_other_members_it_is_refused(packed: Packed, value: Any):
    assert whole_or_refused(changed(packed.body, lambda members: manifest_with(members, members=value))) is None


@A_FEW
@given(mangling=st.data())
def test_whatever_a_row_or_the_manifest_says_it_is_read_or_refused(packed: Packed, sound: Any, mangling: st.DataObject):
    value = mangling.draw(ANYTHING)

    def mangle(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        name = mangling.draw(st.sampled_from(["", *sorted(manifest["rows"])]))
        if not name:
            manifest_with(members, **{mangling.draw(st.sampled_from(sorted(manifest))): value})
        elif manifest["rows"][name]:
            column = mangling.draw(st.sampled_from(sorted(json.loads(members[f"tables/{name}.jsonl"].splitlines()[0]))))
            with_rows(members, name, lambda row: row.update({column: value}), fits=True)

    rows = whole_or_refused(changed(packed.body, mangle))
    assert rows is None or set(rows) == set(sound)
