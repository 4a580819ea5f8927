"""What a mail takes along for a calendar: finished parts for delivery, and the words about them for its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from app.calendars import ics, itip
from app.calendars.shelves import place_of, span
from app.forum.models import Forum
from app.forum.queries import forum_by_slug, forum_id, tracks_of
from app.jobs.crew import Crew
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import Lang, text_of
from app.kit.settings import Settings
from app.mail.delivery import Invite
from app.mail.outbox import Claimed
from app.programme.published import PublishedSession
from app.programme.queries import published
from app.programme.rules.visibility import PUBLIC, shown
from app.registration import enclosing
from app.registration.applying import application_of
from app.registration.people import shown_name
from app.registration.rules.enclosures import Method


@dataclass(frozen=True, slots=True)
class Brought:
    """What a mail brings along, and a paragraph of text for each thing to be said of it."""

    invites: tuple[Invite, ...] = ()
    paragraphs: tuple[str, ...] = ()


def brought(crew: Crew, message: Claimed, organiser: str, *, now: datetime) -> Brought:
    """What this message, which is about to leave, takes along. Raises NotFound for one that is there for nothing else
    and has nothing to bring any more. Only the note of it is written under the pen."""
    kind, _, code = message.subject.partition(":")
    if kind != "registration":
        return Brought()
    number = crew.database.read(lambda db: _who(db, message, code, now))
    rows = crew.pen.write_now(message.forum, lambda db: _enclose(db, message, number, now)) if number else []
    if not rows and message.template == enclosing.TEMPLATE:
        raise NotFound
    return (
        crew.database.read(lambda db: _made(db, message, code, rows, organiser, crew.settings)) if rows else Brought()
    )


def _who(db: Db, message: Claimed, code: str, now: datetime) -> int | None:
    """The application this message brings something to; None where there is nothing to bring, as with most."""
    forum = forum_by_slug(db, message.forum)
    number = int(application_of(db, forum, code).id)
    return (
        number if enclosing.enclosed(db, message.message_id) or enclosing.owed(db, forum, [number], now=now) else None
    )


def _enclose(db: Db, message: Claimed, number: int, now: datetime) -> list[Any]:
    forum = forum_by_slug(db, message.forum)
    return enclosing.enclose(db, forum, number, message.message_id, now=now, repeated=message.repeated)


def _made(db: Db, message: Claimed, code: str, rows: Sequence[Any], organiser: str, settings: Settings) -> Brought:
    forum = forum_by_slug(db, message.forum)
    lang: Lang = "km" if message.language == "km" else "en"
    person = application_of(db, forum, code)
    sender = parseaddr(settings.mail_from)[1]
    parties = itip.Parties(
        (forum.title.of(lang), organiser or sender), sender, (shown_name(person, lang), message.to_address)
    )
    writing = _Writing(db, forum, lang, f"{settings.base_url}/{lang}/{forum.slug}")
    known = enclosing.shown_to(db, forum, person.id, [row.uid for row in rows])
    invites, titles = [], {method: list[str]() for method in Method}
    for row, asked in zip(rows, enclosing.as_entries(rows), strict=True):
        entry = writing.entry(row) if row.uid == forum.uid or row.uid in known else None
        if entry is None and asked.method is Method.REQUEST:
            continue  # closed to the person since this mail was first tried
        zone = b"" if row.uid == forum.uid else writing.zone  # whole days need none
        whole = itip.object_of(asked, entry, parties, lang, zone=zone, made_at=row.made_at)
        invites.append(Invite(asked.method.value, whole))
        titles[asked.method].append(_title(forum, row, entry, lang))
    said = [
        text_of(lang, f"mail.enclosed.{method.value.lower()}", titles="; ".join(named))
        for method, named in titles.items()
        if named
    ]
    if said:
        said.append(text_of(lang, "mail.enclosed.how" if len(invites) == 1 else "mail.enclosed.how_many"))
    return Brought(tuple(invites), tuple(said))


def _title(forum: Forum, row: Any, entry: Any, lang: Lang) -> str:
    if row.uid == forum.uid:
        return forum.title.of(lang)
    return str(entry["summary"]) if entry else text_of(lang, "mail.enclosed.unnamed")


class _Writing:
    """What entries are made of: one forum's texts in one language, and its published versions as they are needed."""

    def __init__(self, db: Db, forum: Forum, lang: Lang, root: str) -> None:
        self._db, self._forum, self._lang, self._root = db, forum, lang, root
        self._place = place_of(forum)
        self._tracks = {track.code: track.title.of(lang) for track in tracks_of(db, forum_id(forum))}
        self._versions: dict[int, dict[str, PublishedSession]] = {}
        newest = published(db, forum_id(forum))
        self.zone = ics.vtimezone(forum.timezone, *span(forum, newest))

    def entry(self, row: Any) -> Any:
        """The entry that this row of `registration.Enclosure` speaks of; None where there is none to describe."""
        forum = self._forum
        if row.uid == forum.uid:
            return self._whole() if forum.starts_on and forum.ends_on else None
        session = self._of_version(row.version).get(row.uid)
        if session is None or session.starts_at is None:
            return None
        page, listed = f"{self._root}/programme/{session.code}", shown(session, PUBLIC)
        return ics.entry_of(
            session, self._place, self._lang, page=page, tracks=self._tracks, listed=listed, by_mail=True
        )

    def _whole(self) -> Any:
        forum = self._forum
        assert forum.starts_on is not None  # noqa: S101 - `entry` asked
        assert forum.ends_on is not None  # noqa: S101 - as above
        changed = (forum.slot_changed_at or forum.created_at).astimezone(UTC).replace(microsecond=0)
        days = (forum.starts_on, forum.ends_on)
        whole = ics.WholeForum(forum.uid, forum.sequence, changed, *days, forum.title, forum.summary, self._root)
        return ics.whole_entry_of(whole, self._place, self._lang)

    def _of_version(self, number: int) -> dict[str, PublishedSession]:
        if number not in self._versions:
            sessions = published(self._db, forum_id(self._forum), number).sessions if number else ()
            self._versions[number] = {session.uid: session for session in sessions}
        return self._versions[number]
