"""What `sala doctor` looks at, one function each; none changes anything."""

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from stat import S_ISREG
from urllib.parse import urlsplit

from sqlalchemy import select, text

from app.audit.recording import first_broken, heads
from app.cli.house import House
from app.forum.models import Forum
from app.kit import clock, heart
from app.kit.db import Db, table
from app.kit.migrating import newest, revision_of
from app.kit.replica import OK
from app.kit.settings import SETTINGS
from app.mail.watching import longest_due, unsent_by_state

_forums = table(Forum)
FREE_BYTES = 1 << 30
MAIL_MINUTES = 15
SECONDS_TO_CALL = 5
SECONDS_OFF = 5
AGE_OF_COPIES = timedelta(days=2)
NARROWEST_OF_ALL = 8
"""No network of proxies is larger than a private one of IPv4, 10.0.0.0/8."""
LIMITS = tuple(each for each in SETTINGS if each[0] in {"BODY_LIMIT_BYTES", "FILE_LIMIT_BYTES", "MATERIAL_LIMIT_BYTES"})
"""What the proxy of docs/deployment takes as well, as long as nothing is changed."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at: "good", "care" or "wrong", and a sentence."""

    level: str
    words: str

    @property
    def mark(self) -> str:
        return {"good": "ok", "care": "care", "wrong": "WRONG"}[self.level]


def examine(house: House) -> list[Found]:
    """Every check in order; where the database does not answer, what needs it is left out and that is said."""
    found = [*_settings(house), *_proxy(house), *_disk(house), *_copies(house)]
    try:
        found += house.database.read(lambda db: [*_schema(db)])
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is what is to be said
        return [*found, Found("wrong", f"The database does not answer: {str(fault).splitlines()[0][:200]}")]
    if any(each.level == "wrong" for each in found[-1:]):
        return found
    rest: tuple[Callable[[House], Iterator[Found]], ...] = (
        replica, _clock, _worker, _mail, _server_of_mail, _chains, _forums_there,
    )  # fmt: skip
    return [*found, *(each for check in rest for each in check(house))]


def _settings(house: House) -> Iterator[Found]:
    settings = house.settings
    if settings.production:
        yield Found("good", "The settings are those of production: a secret key is set and debugging is off.")
    else:
        yield Found("care", "SALA_ENV is development: set it to production where people use the site.")
    if settings.secure:
        yield Found("good", f"People reach the site by {settings.base_url}.")
    elif urlsplit(settings.base_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        yield Found("care", f"BASE_URL is {settings.base_url}: links in mails lead to this machine alone.")
    else:
        yield Found(
            "wrong", f"BASE_URL is {settings.base_url}: without https cookies and links can be read on the way."
        )
    if settings.secure and not settings.trusted_proxies:
        yield Found(
            "care",
            "TRUSTED_PROXIES is empty: behind a proxy every visitor counts as one address, and throttles as one.",
        )
    if settings.database_url.startswith("sqlite") and not settings.worker_inline:
        yield Found("care", "WORKER is none on SQLite: a `sala worker` on this very machine must run beside the site.")


def _proxy(house: House) -> Iterator[Found]:
    """What can be known from here of what stands before the site."""
    settings = house.settings
    wide = [each for each in settings.trusted_proxies if ip_network(each).prefixlen < NARROWEST_OF_ALL]
    if wide:
        yield Found(
            "wrong",
            f"TRUSTED_PROXIES has {', '.join(wide)}: anybody may say where they come from, and no throttle holds.",
        )
    if "*" in settings.allowed_hosts:
        yield Found("care", "ALLOWED_HOSTS is *: the site answers to any name that a proxy passes on.")
    raised = [name for name, default, _ in LIMITS if getattr(settings, name.lower()) > int(default)]
    if raised:
        yield Found(
            "care",
            f"{', '.join(raised)} was raised: the proxy must take as much, `max_size` in docs/deployment/Caddyfile.",
        )


def _copies(house: House) -> Iterator[Found]:
    folder = house.settings.backup_folder
    if folder is None:
        yield Found("care", "BACKUP_FOLDER is empty: whether there are copies cannot be seen from here.")
        return
    kept = [each.stat() for each in folder.iterdir() if not each.name.startswith(".")] if folder.is_dir() else []
    files = [each for each in kept if S_ISREG(each.st_mode) and each.st_size]
    if not files:
        yield Found("wrong", f"There is no copy in {folder}: `sala backup FILE`, every night.")
        return
    age = timedelta(seconds=time.time() - max(each.st_mtime for each in files))
    hours = int(age.total_seconds() // 3600)
    old = age > AGE_OF_COPIES
    yield Found("wrong" if old else "good", f"The newest copy in {folder} is {hours:,} hours old.")


def _clock(house: House) -> Iterator[Found]:
    """This machine's clock against the database server's; what expires goes by the first."""
    if house.database.is_sqlite:
        return
    before = time.time()
    there = house.database.read(
        lambda db: float(db.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    )
    after = time.time()
    off = max(before - there, there - after, 0.0)
    if off > SECONDS_OFF:
        yield Found("wrong", f"The clock is {off:,.0f} seconds off that of the database's server: which is right?")
    else:
        yield Found("good", "The clock agrees with that of the database's server.")


def _disk(house: House) -> Iterator[Found]:
    folder = house.settings.var
    if not folder.exists():
        yield Found("care", f"{folder} does not exist yet.")
        return
    free = shutil.disk_usage(folder).free
    words = f"{free / (1 << 30):.1f} GiB are free under {folder}"
    yield (
        Found("good", f"{words}.") if free >= FREE_BYTES else Found("wrong", f"Only {words}: nothing is written then.")
    )
    path = house.database.path
    if path is not None and path.exists() and path.stat().st_mode & 0o077:
        yield Found("care", f"{path.name} may be read by other accounts of this machine: chmod 600.")


def _schema(db: Db) -> Iterator[Found]:
    revision = revision_of(db)
    if revision == newest():
        yield Found("good", f"The schema is the newest, {revision}.")
    else:
        yield Found("wrong", f"The schema is {revision or 'none'} and should be {newest()}: run `sala migrate`.")


def replica(house: House) -> Iterator[Found]:
    """Whether a replica for reading, where one is set, can be read."""
    there = house.database.replica
    if there is None:
        return
    if there.look() == OK:
        yield Found("good", "The replica is up to date and is read.")
    else:
        yield Found("wrong", f"The replica is not read: {there.why}.")


def _worker(house: House) -> Iterator[Found]:
    beats = house.database.read(heart.beats)
    late = heart.late(beats, now=clock.now())
    if not beats:
        yield Found("wrong", "No worker has ever run: no mail leaves and nothing expires.")
    elif late:
        yield Found("wrong", f"The worker is late with {', '.join(late)}: is it running?")
    else:
        yield Found("good", "The worker lives.")


def _mail(house: House) -> Iterator[Found]:
    unsent, due = house.database.read(lambda db: (unsent_by_state(db), longest_due(db)))
    waits = unsent["queued"] + unsent["retrying"]
    if not house.settings.sends_mail:
        yield Found(
            "care", f"SMTP_URL is empty: {waits:,} mails wait in the outbox, and links are shown on pages instead."
        )
        return
    minutes = int((clock.now() - due).total_seconds() // 60) if due else 0
    if minutes >= MAIL_MINUTES:
        yield Found("wrong", f"{waits:,} mails wait, the longest for {minutes:,} minutes.")
    else:
        yield Found("good", f"{waits:,} mails wait, none for long.")
    if unsent["failed"]:
        yield Found("care", f"{unsent['failed']:,} mails were given up: the desk's outbox says why.")


def _server_of_mail(house: House) -> Iterator[Found]:
    if not house.settings.sends_mail:
        return
    parts = urlsplit(house.settings.smtp_url)
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        with socket.create_connection((parts.hostname or "", port), SECONDS_TO_CALL):
            yield Found("good", f"The mail server {parts.hostname}:{port} takes calls.")
    except OSError as fault:
        yield Found("wrong", f"The mail server {parts.hostname}:{port} takes no calls: {fault}.")


def _chains(house: House) -> Iterator[Found]:
    known = house.database.read(heads)
    broken = [of for of in sorted(known) if house.database.read(partial(first_broken, scope=of)) is not None]
    if broken:
        yield Found("wrong", f"The chain of facts of {', '.join(broken)} is broken: `sala verify` says where.")
    else:
        yield Found("good", f"{len(known)} chains of facts are whole.")


def _forums_there(house: House) -> Iterator[Found]:
    slugs = house.database.read(lambda db: list(db.execute(select(_forums.c.slug).order_by(_forums.c.slug)).scalars()))
    if slugs:
        yield Found("good", f"Forums: {', '.join(slugs)}.")
    else:
        yield Found("care", "There is no forum yet: `sala load FILE`.")
