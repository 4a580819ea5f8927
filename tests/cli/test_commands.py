"""The terminal door, as an operator uses it."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from app.accounts import signing_in
from app.accounts.actor import Actor
from app.accounts.models import User
from app.accounts.rules import Role
from app.audit.models import Fact
from app.cli import main
from app.cli.serve import FORUMS
from app.forum.tokens import TokenInput, bearer_of, make_token
from app.kit.db import Database, Db, table
from app.kit.i18n import text_of
from app.kit.pen import SITE, Pen
from app.mail.models import Message
from app.programme.subscribing import renew_subscription, subscription_of
from app.registration.duplicates import doubles
from app.registration.models import (
    Answer,
    Application,
    Category,
    Delegation,
    HoldBack,
    Invitation,
    Letter,
    Pick,
    Seat,
    Terms,
)
from app.registration.rules.states import State
from tests.cast import CHAN, NOW, SECRET_KEY, SLUG, make_actor, make_user, the_forum
from tests.conftest import ROOT

FILE = FORUMS / f"{SLUG}.yaml"


@dataclass(frozen=True)
class Done:
    """What a command gave back: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Sala = Callable[..., Done]


@pytest.fixture
def sala(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sala:
    """`sala …` on a loaded database, at the time of the tests."""

    def run(*words: str, **environment: str) -> Done:
        given = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": sqlite_url, "SALA_VAR": str(tmp_path / "var"), **environment}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["sala", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        if isinstance(ended.value.code, str):
            return Done(1, printed.out, printed.err + ended.value.code)
        return Done(ended.value.code or 0, printed.out, printed.err)

    return run


def test_the_command_is_there_as_a_program_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in ("run", "serve", "worker", "migrate", "load", "export", "publish", "demo", "owner", "verify"):
        assert name in done.stdout


def test_loading_the_same_file_again_changes_nothing(sala: Sala) -> None:
    done = sala("load", str(FILE))
    assert (done.returncode, done.stdout) == (0, f"{SLUG}: nothing new in {SLUG}.yaml.\n")


def test_what_is_exported_loads_again_without_a_change_and_exports_the_same(sala: Sala, tmp_path: Path) -> None:
    file = tmp_path / "exported.yaml"
    assert sala("export", SLUG, "--to", str(file)).returncode == 0
    assert sala("load", str(file)).stdout == f"{SLUG}: nothing new in exported.yaml.\n"
    assert sala("export", SLUG).stdout == file.read_text(encoding="utf-8")


def test_an_exported_forum_keeps_its_calendar_ids_in_an_empty_installation(
    sala: Sala, tmp_path: Path, database: Database
) -> None:
    file = tmp_path / "exported.yaml"
    sala("export", SLUG, "--to", str(file))
    elsewhere = {"DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite"}
    assert sala("migrate", **elsewhere).returncode == 0
    assert "version 1 published" in sala("load", str(file), **elsewhere).stdout
    assert sala("export", SLUG, **elsewhere).stdout == file.read_text(encoding="utf-8")


def test_a_second_edition_stands_beside_the_first(sala: Sala, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(FILE.read_text(encoding="utf-8").replace(f"slug: {SLUG}", "slug: phnom-penh-2028"), "utf-8")
    assert sala("load", str(other)).returncode == 0
    assert sala("verify", "phnom-penh-2028").returncode == 0
    assert sala("load", str(FILE)).stdout != ""


def test_a_bad_file_is_refused_whole_with_every_fault_and_its_line(sala: Sala, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = FILE.read_text(encoding="utf-8")
    text = text.replace("capacity: 300", "capacity: many").replace("starts_on: 2027-03-23", "starts_on: soon", 1)
    bad.write_text(text, encoding="utf-8")
    done = sala("load", str(bad))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nothing was loaded" in done.stderr
    for field, wrong in (("forum.starts_on", "soon"), ("registration.capacity", "many")):
        line = next(number for number, words in enumerate(text.splitlines(), 1) if words.endswith(wrong))
        assert f"line {line}: {field}: " in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("export", "nowhere"), "no_such_forum"),
        (("publish", SLUG), "nothing_to_publish"),
        (("publish", "nowhere"), "no_such_forum"),
        (("verify", "nowhere"), "no_such_forum"),
        (("demo", "3", "--forum", "nowhere"), "no_such_forum"),
    ],
)
def test_a_refusal_is_the_catalogues_sentence_and_no_traceback(sala: Sala, words: tuple[str, ...], code: str) -> None:
    done = sala(*words)
    assert done.returncode == 1
    assert done.stderr.strip() == f"sala: {text_of('en', f'refused.{code}', slug='nowhere', slugs=SLUG)}"


def test_a_database_that_was_not_migrated_is_said_in_a_sentence(sala: Sala, tmp_path: Path) -> None:
    for words in (("demo", "3"), ("verify",)):
        done = sala(*words, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite'}")
        assert (done.returncode, text_of("en", "refused.schema_missing") in done.stderr) == (1, True)


def test_the_chains_head_is_printed_and_held_against_later(sala: Sala, database: Database) -> None:
    head = sala("verify", SLUG).stdout.split()[-1]
    assert sala("demo", "3").returncode == 0
    assert sala("verify", SLUG, "--head", head).returncode == 0
    last = sala("verify", SLUG).stdout.split()[-1]
    facts = table(Fact)
    with database.write_engine.begin() as connection:
        connection.execute(delete(facts).where(facts.c.scope == SLUG, facts.c.number == int(last.partition(":")[0])))
    assert (
        sala("verify", SLUG).stderr.strip() == f"sala: the chain of {SLUG} is broken at fact {last.partition(':')[0]}."
    )
    assert "NUMBER:HASH" in sala("verify", SLUG, "--head", "12").stderr


def test_the_demo_makes_people_once(sala: Sala) -> None:
    assert "12 fictional people registered (0 were there already)" in sala("demo", "12").stdout
    assert "0 fictional people registered (12 were there already)" in sala("demo", "12").stdout
    assert sala("verify", SLUG).returncode == 0


def test_the_demo_shows_every_state_and_leaves_the_terms_as_they_were(sala: Sala, database: Database) -> None:
    def terms(db: Db) -> dict[str, Any]:
        found = dict(db.execute(select(table(Terms))).one()._mapping)
        return {name: value for name, value in found.items() if name != "edition"}  # that says they were changed

    before = database.read(terms)
    assert sala("demo").returncode == 0
    applications = table(Application)
    found = database.read(lambda db: db.execute(select(applications.c.state, applications.c.confirmed_at)).all())
    states = {row.state for row in found}
    assert states == set(State) - {State.DRAFT, State.SUBMITTED}
    assert {row.confirmed_at is None for row in found if row.state == State.SEATED} == {True, False}
    assert database.read(terms) == before
    assert sala("verify", SLUG).returncode == 0


def test_the_demo_sets_up_what_stands_around_its_people_once(sala: Sala, database: Database) -> None:
    tables = (Delegation, Invitation, HoldBack, Letter, Pick, Answer, Seat, Application, Message)

    def numbers(db: Db) -> dict[str, int]:
        return {
            each.__name__: db.execute(select(func.count()).select_from(table(each))).scalar_one() for each in tables
        }

    assert "this forum has not" not in sala("demo", "40").stdout
    before = database.read(numbers)
    assert (before["Delegation"], before["Invitation"], before["HoldBack"], before["Letter"]) == (3, 4, 2, 2)
    assert before["Answer"] > 0

    def looked_at(db: Db) -> None:
        forum, by = the_forum(db), Actor.operator()
        people, picks, seats = table(Application), table(Pick), table(Seat)
        states = set(db.execute(select(table(Invitation).c.state)).scalars())
        assert states == {"open", "accepted", "declined"}
        assert db.execute(select(func.count()).where(people.c.accompanies_id.is_not(None))).scalar_one() == 2
        kinds = set(db.execute(select(seats.c.kind).where(seats.c.application_id.is_(None))).scalars())
        assert kinds == {"delegation", "invitation", "hold_back"}
        chosen = list(db.execute(select(picks.c.number)).scalars())
        assert (len(chosen), chosen.count(None)) == (6, 2), "a full session with a waiting list"
        pairs = [pair for group in doubles(db, by, forum).groups for pair in group.pairs]
        assert any({pair.first.family_name, pair.second.family_name} == {"Specimen", "Noor"} for pair in pairs)
        chambers = db.execute(
            select(func.count())
            .select_from(table(Answer).join(people, people.c.id == table(Answer).c.application_id))
            .join(table(Category), table(Category).c.id == people.c.category_id)
            .where(table(Category).c.code == "PARL")
        ).scalar_one()
        assert chambers > 0

    database.read(looked_at)
    sala("demo", "40")
    assert database.read(numbers) == before
    assert sala("verify", SLUG).returncode == 0


def test_the_demo_says_what_a_forum_has_no_seats_for(sala: Sala, database: Database) -> None:
    with database.write_engine.begin() as connection:
        connection.execute(update(table(Category)).where(table(Category).c.code == "GOV").values(guarantee=0, limit=0))
    done = sala("demo", "3")
    assert done.returncode == 0
    assert "for: hold backs." in done.stdout


def test_the_owners_link_signs_in(sala: Sala, database: Database) -> None:
    done = sala("owner", "sokha@secretariat.example", BASE_URL="https://forum.example")
    token = re.fullmatch(r"https://forum\.example/login/(\S+)\n", done.stdout)
    assert token
    assert database.read(lambda db: signing_in.link_is_good(db, token[1], now=NOW))


def test_an_owner_who_lost_device_and_codes_is_helped_on_request_alone(sala: Sala, database: Database) -> None:
    users = table(User)
    since = select(users.c.factor_since).where(users.c.email == "lost@secretariat.example")
    assert sala("owner", "lost@secretariat.example").returncode == 0
    with database.write_engine.begin() as connection:
        connection.execute(update(users).values(factor="sealed", factor_since=NOW))
    assert sala("owner", "lost@secretariat.example").returncode == 0
    assert database.read(lambda db: db.execute(since).scalar_one()) == NOW
    done = sala("owner", "lost@secretariat.example", "--forget-second-factor")
    assert (done.returncode, "/login/" in done.stdout) == (0, True)
    assert database.read(lambda db: db.execute(since).scalar_one()) is None


def test_whoever_is_helped_so_becomes_no_owner_and_is_signed_in_nowhere(sala: Sala, database: Database) -> None:
    def prepare(db: Db) -> str:
        link = signing_in.make_link(db, Actor.operator(), make_user(db, CHAN), now=NOW)
        return signing_in.sign_in(db, link, now=NOW)

    login = Pen(database).write_now(SITE, prepare)
    done = sala("owner", CHAN.email, "--forget-second-factor")
    assert (done.returncode, "/login/" in done.stdout) == (0, True)
    owns = select(table(User).c.site_owner).where(table(User).c.email == CHAN.email)
    assert database.read(lambda db: db.execute(owns).scalar_one()) is False
    assert database.read(lambda db: signing_in.user_of_login(db, login, now=NOW)) is None
    done = sala("owner", "stranger@elsewhere.example", "--forget-second-factor")
    assert done.returncode == 1
    assert text_of("en", "refused.user_unknown") in done.stderr


@pytest.mark.parametrize(
    "address", ["nonsense", "", "sokha@", "a b@c.example", "sokha@secretariat.example, rith@elsewhere.example"]
)
def test_the_owner_is_refused_what_is_no_address(sala: Sala, database: Database, address: str) -> None:
    owners = database.read(lambda db: db.execute(select(func.count()).select_from(table(User))).scalar_one())
    done = sala("owner", address)
    assert done.returncode == 2
    assert done.stdout == ""
    printed = " ".join(done.stderr.replace("│", " ").split())
    assert text_of("en", "refused.not_an_email") in printed
    assert database.read(lambda db: db.execute(select(func.count()).select_from(table(User))).scalar_one()) == owners


def test_the_owner_may_have_no_address_yet(sala: Sala) -> None:
    assert sala("owner").returncode == 0


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SALA_ENV": "production", "SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SALA_ENV": "production", "SALA_DEBUG": "1"}, "SALA_DEBUG is on in production"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"PORT": "door"}, "PORT must be a whole number"),
    ],
)
def test_a_start_that_is_not_safe_refuses_and_says_why(sala: Sala, environment: dict[str, str], said: str) -> None:
    done = sala("serve", **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_forum_is_archived_and_read_into_another_installation(sala: Sala, tmp_path: Path) -> None:
    file, url = tmp_path / "forum.zip", f"sqlite:///{tmp_path / 'other.sqlite'}"
    done = sala("archive", SLUG, str(file))
    assert done.returncode == 0, done.stderr
    assert "personal data" in done.stdout
    assert file.stat().st_mode & 0o077 == 0, "nobody else on the machine reads it"
    assert sala("archive", SLUG, str(file)).returncode != 0, "nothing is written over"
    assert sala("migrate", DATABASE_URL=url).returncode == 0
    read = sala("unarchive", str(file), DATABASE_URL=url)
    assert read.returncode == 0, read.stderr
    assert f"{SLUG}:" in read.stdout
    assert sala("verify", SLUG, DATABASE_URL=url).returncode == 0
    again = sala("unarchive", str(file), DATABASE_URL=url)
    assert (again.returncode, "already" in again.stderr) == (1, True)
    file.write_bytes(b"no archive")
    assert "damaged" in sala("unarchive", str(file), DATABASE_URL=url).stderr


def test_who_is_let_in_again_has_none_of_the_tokens_and_calendars_of_before(sala: Sala, database: Database) -> None:
    def begin(db: Db) -> tuple[str, int]:
        forum, chan = the_forum(db), make_actor(db, CHAN, Role.ORGANISER)
        renew_subscription(db, chan, forum, "en", b"x" * 32, now=NOW)
        assert chan.id is not None
        return make_token(db, chan, forum, TokenInput(forum=SLUG, name="The badge printer"), now=NOW), chan.id

    def is_good(token: str) -> bool:
        return database.read(lambda db: bearer_of(db, token, now=NOW)) is not None

    token, user = Pen(database).write_now(SLUG, begin)
    for arguments, good in (("--sign-out",), True), ((), False), ((), False), (("--lift",), False):
        done = sala("bar", CHAN.email, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert is_good(token) is good
    with database.reading() as db:
        assert subscription_of(db, the_forum(db), user) is None
        kinds = list(db.execute(select(table(Fact).c.kind).where(table(Fact).c.actor == "operator")).scalars())
    assert [kinds.count(kind) for kind in ("token.ended", "calendar.ended")] == [1, 1]


def test_somebody_is_barred_and_let_in_again_by_command(sala: Sala, database: Database) -> None:
    Pen(database).write_now(SITE, lambda db: make_user(db, CHAN))
    disabled = select(table(User).c.disabled).where(table(User).c.email == CHAN.email)
    for arguments, barred in (((), True), (("--lift",), False), (("--sign-out",), False)):
        done = sala("bar", CHAN.email, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert database.read(lambda db: db.execute(disabled).scalar_one()) is barred
    assert sala("bar", CHAN.email, "--lift", "--sign-out").returncode == 2
    done = sala("bar", "stranger@elsewhere.example")
    assert (done.returncode, text_of("en", "refused.user_unknown") in done.stderr) == (1, True)
