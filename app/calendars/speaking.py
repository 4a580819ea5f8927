"""A speaker's own calendar, behind its own token: the published sessions they are in, closed ones too."""

from dataclasses import dataclass
from datetime import datetime

from app.calendars.feeds import Feed, feed_of
from app.calendars.shelves import Shelf
from app.kit.db import Db
from app.kit.i18n import Lang, text_of
from app.programme.asking_queries import feed_by_token


@dataclass(frozen=True, slots=True)
class SpeakerHolder:
    """Whose calendar a token opens: the speaker's code, and whether they come; no name, no address."""

    forum: str
    lang: Lang
    speaker: str
    comes: bool
    changed_at: datetime


def speaker_holder(db: Db, token: str) -> SpeakerHolder | None:
    """The speaker that this token is of; None where nobody holds it or it has been renewed. One query."""
    found = feed_by_token(db, token)
    if found is None:
        return None
    lang: Lang = "km" if found.language == "km" else "en"
    return SpeakerHolder(found.forum, lang, found.speaker, found.comes, found.changed_at)


def of_own_sessions(shelf: Shelf, holder: SpeakerHolder, token: str, *, now: datetime) -> Feed:
    """The sessions of the public version that the person is in: who speaks in a session is admitted to it (rules §4.5).

    Empty for whoever declined, and not an error: an application that meets one keeps showing what it last saw.
    """
    mine = [one for one in shelf.programme.sessions if any(who.code == holder.speaker for who in one.people)]
    return feed_of(
        shelf,
        mine if holder.comes else (),
        text_of(shelf.lang, "calendars.ics.own", forum=shelf.short_title),
        f"{shelf.base_url}/calendars/{token}.ics",
        f"{shelf.root}/programme",
        (shelf.forum.slug, "my-sessions"),
        now=now,
        changed_at=holder.changed_at,
    )
