"""Writing a forum as a file: the form that `reading` reads, with what calendars already know at its end."""

from datetime import date, datetime
from typing import Any

import yaml
from sqlalchemy import select

from app.editions.form import local
from app.forum.models import Forum
from app.forum.queries import forum_id, forum_page
from app.kit.db import Db, table
from app.kit.i18n import Bilingual
from app.programme.models import Session, Speaker
from app.programme.published import PublishedSession
from app.programme.publishing import pending
from app.programme.queries import setups_of, working_copy
from app.registration.models import Category, SignUp, Terms
from app.registration.question_queries import questions_of
from app.registration.rank_queries import ladder_of

HEADER = "# A forum as one file (sala-forum/1). Times are local to the forum; every text stands in en and km.\n\n"


def export(db: Db, slug: str) -> str:
    """The forum at this slug as the text of a file. Raises NotFound.

    It holds the working copy; `calendar` keeps the published UIDs and SEQUENCEs, so that calendars subscribed to a
    copy elsewhere do not fall behind. A session that was edited since has the SEQUENCE its next version will have, and
    no time of change: that is when the copy is loaded, which publishes it.
    """
    return HEADER + yaml.dump(values_of(db, slug), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def values_of(db: Db, slug: str) -> dict[str, Any]:
    """The same as values, in the form of `ForumFile`. Raises NotFound."""
    page = forum_page(db, slug)
    forum, own = page.forum, forum_id(page.forum)
    drafted = table(Session)
    order = {row.uid: row.position for row in db.execute(select(drafted).where(drafted.c.forum_id == own))}
    sessions = tuple(sorted(working_copy(db, own), key=lambda session: order[session.uid]))
    return {
        "format": "sala-forum/1",
        "forum": _forum(forum),
        "objectives": [{"number": number, "text": _words(text)} for number, text in page.objectives],
        "tracks": [
            {
                "code": track.code,
                "slug": track.slug,
                "title": _words(track.title),
                "short_title": _words(track.short_title),
                "colour": track.colour,
                "themes": [{"slug": name, "title": _words(title)} for name, title in track.themes],
            }
            for track in page.tracks
        ],
        "rooms": [
            {
                "code": room.code,
                "name": _words(room.name),
                "seats": room.seats,
                "listed": room.listed,
                "setup": room.setup,
                "changeover_minutes": room.changeover_minutes,
                "setups": [{"setup": setup, "seats": seats} for setup, seats in room.setups],
            }
            for room in page.rooms.values()
        ],
        "registration": _terms(db, own, forum.timezone),
        "categories": _categories(db, own, forum.timezone),
        "questions": _questions(db, own),
        **_ladder(db, own),
        "speakers": _speakers(db, own),
        "sessions": _sessions(db, own, sessions, forum.timezone),
        "calendar": {
            session.code: {"uid": session.uid, "sequence": session.sequence, "changed_at": changed_at}
            for session, changed_at in _stamps(db, forum)
        },
        "forum_calendar": {
            "uid": forum.uid,
            "sequence": forum.sequence,
            "changed_at": (forum.slot_changed_at or forum.created_at).isoformat(),
        },
    }


def _stamps(db: Db, forum: Forum) -> list[tuple[PublishedSession, str | None]]:
    """What was published, with the stamps it has as the working copy stands."""
    waiting = pending(db, forum, now=forum.changed_at)
    before = {session.uid: session for session in waiting.before.sessions}
    return [
        (session, session.changed_at.isoformat() if session == before[session.uid] else None)
        for session in waiting.sessions
        if session.uid in before
    ]


class _Dumper(yaml.SafeDumper):
    """Texts of several paragraphs as blocks; everything else as it reads best; never an anchor."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _moment(dumper: yaml.SafeDumper, value: datetime) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value.strftime("%Y-%m-%dT%H:%M"))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(datetime, _moment)
_Dumper.add_representer(date, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:timestamp", str(value)))


def _words(text: Bilingual | None) -> dict[str, str] | None:
    return {"en": text.en, "km": text.km} if text else None


def _ladder(db: Db, own: int) -> dict[str, Any]:
    """The order of precedence, where it is another than the usual one."""
    ladder = ladder_of(db, own)
    if ladder.is_usual:
        return {}
    rungs = [
        {
            "code": rung.code,
            "name": _words(rung.name),
            "categories": list(rung.rule.categories),
            "titles": list(rung.rule.titles),
            "functions": list(rung.rule.functions),
            "heads": rung.rule.heads,
        }
        for rung in ladder.rungs
    ]
    return {"ladder": {"alphabet": ladder.alphabet, "rungs": rungs}}


def _forum(forum: Forum) -> dict[str, Any]:
    return {
        "slug": forum.slug,
        "featured": forum.featured,
        "public": forum.public,
        **{name: _words(getattr(forum, name)) for name in _WORDS},
        "starts_on": forum.starts_on,
        "ends_on": forum.ends_on,
        "timezone": forum.timezone,
        "languages": list(forum.languages),
        "venue": _venue(forum),
        "contact": forum.contact,
        "secretariat": forum.secretariat,
        "participants": _words(forum.participants),
    }


def _venue(forum: Forum) -> dict[str, Any] | None:
    if not forum.venue_name:
        return None
    return {
        "name": _words(forum.venue_name),
        "address": _words(forum.venue_address),
        "latitude": forum.latitude,
        "longitude": forum.longitude,
        "note": _words(forum.venue_note),
    }


_WORDS = ("format_label", "title", "short_title", "summary", "about", "central_question")


def _terms(db: Db, own: int, zone: str) -> dict[str, Any]:
    terms = table(Terms)
    row = db.execute(select(terms).where(terms.c.forum_id == own)).one()
    return {
        "opens_at": local(row.opens_at, zone),
        "closes_at": local(row.closes_at, zone),
        "capacity": row.capacity,
        "target": row.target,
        "confirm_hours": row.confirm_hours,
        "promotion": row.promotion,
        "offer_hours": row.offer_hours,
        "retention_on": row.retention_on,
    }


def _questions(db: Db, own: int) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "kind": one.kind.value,
            "categories": list(one.categories),
            "label": _words(one.label),
            "help": _words(one.help),
            "why": _words(one.why),
            "required": one.required,
            "sensitive": one.sensitive,
            "options": [{"value": value, "label": _words(words)} for value, words in one.options],
            "shown_if": one.shown_if,
            "shown_for": list(one.shown_for),
        }
        for one in questions_of(db, own)
    ]


def _categories(db: Db, own: int, zone: str) -> list[dict[str, Any]]:
    categories = table(Category)
    rows = db.execute(select(categories).where(categories.c.forum_id == own).order_by(categories.c.position))
    return [
        {
            "code": row.code,
            "letter": row.letter,
            "band": row.band,
            "name": _words(row.name),
            "description": _words(row.description),
            "source": row.source,
            "mode": row.mode,
            "hold_while_reviewing": row.hold_while_reviewing,
            "in_hall": row.in_hall,
            "opens_at": local(row.opens_at, zone),
            "closes_at": local(row.closes_at, zone),
            "guarantee": row.guarantee,
            "limit": row.limit,
            "lapses_at": local(row.lapses_at, zone),
            "order": row.position + 1,
        }
        for row in rows
    ]


def _speakers(db: Db, own: int) -> list[dict[str, Any]]:
    speakers = table(Speaker)
    rows = db.execute(select(speakers).where(speakers.c.forum_id == own).order_by(speakers.c.position))
    return [
        {
            "code": row.code,
            "name": _words(row.name),
            "function": _words(row.function),
            "institution": _words(row.institution),
            "country": row.country,
            "kind": row.kind,
            "bio": _words(row.bio),
            "announced": row.announced,
            "guest": row.guest,
        }
        for row in rows
    ]


def _sessions(db: Db, own: int, sessions: tuple[PublishedSession, ...], zone: str) -> list[dict[str, Any]]:
    sign_ups = table(SignUp)
    places = {row.session_uid: row.places for row in db.execute(select(sign_ups).where(sign_ups.c.forum_id == own))}
    setups = setups_of(db, own)
    return [
        {
            "code": session.code,
            "type": session.type,
            "title": _words(session.title),
            "abstract": _words(session.abstract),
            "guiding_question": _words(session.guiding_question),
            "tracks": list(session.tracks),
            "themes": list(session.themes),
            "objectives": list(session.objectives),
            "facet": session.facet,
            "room": session.room,
            "setup": setups.get(session.code),
            "start": local(session.starts_at, zone),
            "end": local(session.ends_at, zone),
            "attribution": session.attribution.value if session.attribution else None,
            "spoken": list(session.spoken),
            "interpreted": list(session.interpreted),
            "people": [{"speaker": person.code, "role": person.role} for person in session.people],
            "overlap_intended": session.overlap_intended,
            "cancelled": session.cancelled,
            "signup_places": places.get(session.uid),
        }
        for session in sessions
    ]
