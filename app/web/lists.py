"""Every list of the desk as rows for a file: its columns, who may take them, and what stands in each.

What leaves obeys the sessions' rules (rules §4.5): a closed session is in none of these lists but those for whoever
edits the programme, and the log; who is in a session under Chatham House is in none at all.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from app.accounts.rules import Permission
from app.audit.searching import Asked, facts_asked
from app.forum.people import people_of
from app.forum.queries import forum_id, rooms_of
from app.kit import clock
from app.kit.db import Db
from app.kit.i18n import Bilingual, text_of
from app.mail.outbox import outbox
from app.programme.asking_queries import speakers_of
from app.programme.materials import materials_of
from app.programme.published import PublishedSession
from app.programme.queries import published, setups_of, working_copy
from app.programme.rules.materials import opens_at
from app.programme.rules.speakers import Reply
from app.programme.rules.visibility import PUBLIC, visible, withholds_attendance
from app.registration.delegation_queries import delegations
from app.registration.holding import hold_backs
from app.registration.invitation_queries import Sought, desk_invitations
from app.registration.lettering import desk_letters
from app.registration.list_queries import answered_privately, delegates, picks_of
from app.registration.people import listed_name, shown_institution
from app.registration.pick_queries import Count, counts_of
from app.registration.quotas import house_of
from app.registration.rules.names import list_name
from app.reports.tables import Cell
from app.web import desk_coverage, desk_delegations, desk_history, desk_outbox, speaker_words
from app.web import desk_invitations as invitations
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_registrations import label
from app.web.letters import reference

MOST = 100_000
"""So many rows are written into one file."""
Line = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, whether it is ticked to begin with, and what one needs to take it beside what the list needs."""

    name: str
    usual: bool = True
    need: Permission | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: its name in the address and the catalogue, what one needs to take it, its columns in order, its rows.

    `read` asks as many queries whatever the list holds.
    """

    name: str
    needs: tuple[Permission, ...]
    columns: tuple[Column, ...]
    read: Callable[[Db, Desk], Iterable[Line]]

    def is_for(self, desk: Desk) -> bool:
        """May whoever is at the desk take it?"""
        return all(desk.may(need) for need in self.needs)

    def offered(self, desk: Desk) -> list[Column]:
        """The columns that whoever is at the desk may take."""
        return [one for one in self.columns if one.need is None or desk.may(one.need)]


def columns(
    *usual: str, more: Iterable[str] = (), guarded: Mapping[str, Permission] | None = None
) -> tuple[Column, ...]:
    """Columns that are ticked to begin with, others that are not, and those that need something of their own."""
    return (
        *(Column(name) for name in usual),
        *(Column(name, usual=False) for name in more),
        *(Column(name, usual=False, need=need) for name, need in (guarded or {}).items()),
    )


def local(desk: Desk, at: datetime | None) -> datetime | None:
    """An instant as the clocks of the forum's place show it."""
    return None if at is None else at.astimezone(ZoneInfo(desk.forum.timezone)).replace(tzinfo=None)


def _yes(desk: Desk, *, so: bool) -> str:
    return text_of(desk.lang, "rooms.yes" if so else "rooms.no")


def _both(name: str, text: Bilingual | None) -> Line:
    return {f"{name}_en": text.en if text else "", f"{name}_km": text.km if text else ""}


# ---- people


def _person(desk: Desk, row: Any) -> dict[str, Cell]:
    """A registration's person; in a private capacity without institution and function (rules §2)."""
    is_private = row.attends_as == "private"
    return {
        "code": row.code,
        "name": listed_name(row),
        "name_km": row.name_km,
        "titles": ", ".join(row.titles or ()),
        "institution": shown_institution(row),
        "position_title": "" if is_private else row.position_title,
        "attends_as": text_of(desk.lang, f"export.{row.attends_as}"),
        "country": country_name(row.country, desk.lang),
        "category": row.category_name.of(desk.lang),
        "standing": label(desk.lang, row).words,
        "email": row.email,
        "phone": row.phone,
    }


def _invitations(db: Db, desk: Desk) -> Iterator[Line]:
    rows, _ = desk_invitations(db, desk.actor, desk.forum, Sought(), most=MOST)
    privately = answered_privately(db, desk.actor, desk.forum)
    for row in rows:
        is_private = row.id in privately
        yield {
            "code": row.code,
            "kind": text_of(desk.lang, f"lists.invitation.{row.kind}"),
            "name": "" if row.kind == "code" else invitations.name_of(desk.lang, row),
            "name_km": row.name_km,
            "titles": ", ".join(row.titles or ()),
            "institution": "" if is_private else row.institution,
            "position_title": "" if is_private else row.position_title,
            "category": row.category_name.of(desk.lang),
            "state": invitations.label(desk.lang, row).words,
            "reference": row.reference,
            "uses": row.uses,
            "used": row.used,
            "kept": row.kept,
            "reply_by": local(desk, row.reply_by),
            "created_at": local(desk, row.created_at),
            "answered_at": local(desk, row.answered_at),
            "language": text_of(desk.lang, f"desk.language.{row.language}"),
            "email": row.email,
        }


def _delegations(db: Db, desk: Desk) -> Iterator[Line]:
    now = clock.now()
    for one in delegations(db, desk.actor, desk.forum):
        row = one.row
        yield {
            "code": row.code,
            "institution": row.institution,
            "institution_km": row.institution_km,
            "country": country_name(row.country, desk.lang),
            "category": row.category_name.of(desk.lang),
            "reference": row.reference,
            "seats": row.seats,
            "named": one.named,
            "unnamed": one.unnamed,
            "given_up": one.given_up,
            "head": list_name(row.head_family_name, row.head_given_name, row.head_display_name)
            if row.head_code and row.head_attends_as != "private"
            else "",
            "deadline": local(desk, row.deadline),
            "state": desk_delegations.standing_label(desk.lang, row, now).words,
            "focal_name": row.focal_name,
            "focal_email": row.focal_email,
            "uneven_reason": row.uneven_reason,
        }


def _delegates(db: Db, desk: Desk) -> Iterator[Line]:
    for row in delegates(db, desk.actor, desk.forum):
        # whoever attends for themselves stands without the institution, and so without its delegation
        is_private = row.attends_as == "private"
        institution = Bilingual(row.delegation_name, row.delegation_name_km).of(desk.lang)
        yield {
            **_person(desk, row),
            "delegation": "" if is_private else row.delegation,
            "institution": "" if is_private else institution,
            "head": _yes(desk, so=row.heads_delegation and not is_private),
            "place": row.place,
        }


def _hold_backs(db: Db, desk: Desk) -> Iterator[Line]:
    names = {row.id: row.name.of(desk.lang) for row in house_of(db, forum_id(desk.forum)).categories.values()}
    for row in hold_backs(db, desk.actor, desk.forum):
        yield {
            "purpose": row.purpose,
            "category": names.get(row.category_id, ""),
            "kept": row.kept,
            "given": row.given,
            "release_at": local(desk, row.release_at),
            "released_at": local(desk, row.released_at),
            "created_at": local(desk, row.created_at),
        }


def _letters(db: Db, desk: Desk) -> Iterator[Line]:
    for row in desk_letters(db, desk.actor, desk.forum):
        yield {
            "reference": reference(desk.forum, row),
            "kind": text_of(desk.lang, f"lists.letter.{row.kind}"),
            "code": row.registration,
            "name": listed_name(row),
            "language": text_of(desk.lang, f"desk.language.{row.language}"),
            "created_at": local(desk, row.asked_at),
        }


# ---- sessions


def _sessions_shown(db: Db, desk: Desk) -> list[PublishedSession]:
    """The published sessions that exist for everybody, by time."""
    sessions = visible(published(db, forum_id(desk.forum)).sessions, PUBLIC)
    return sorted(sessions, key=lambda one: (one.starts_at is None, one.starts_at or one.changed_at, one.code))


def _session(desk: Desk, one: PublishedSession) -> dict[str, Cell]:
    lang = desk.lang
    return {
        "code": one.code,
        "title": one.title.of(lang),
        "type": text_of(lang, f"programme.type.{one.type}"),
        "starts_at": local(desk, one.starts_at),
        "ends_at": local(desk, one.ends_at),
        "room": one.room_name.of(lang) if one.room_name else "",
        "rule": text_of(lang, f"editor.attribution.{one.attribution.value}") if one.attribution else "",
    }


def _sign_ups(db: Db, desk: Desk) -> Iterator[Line]:
    counts = counts_of(db, forum_id(desk.forum))
    for one in _sessions_shown(db, desk):
        if one.attribution is None:
            continue
        count = counts.get(one.uid, Count(None))
        taken: dict[str, Cell] = {"taken": count.taken, "waiting": count.waiting, "picked": count.picked}
        withheld = withholds_attendance(one.attribution)
        yield {**_session(desk, one), "places": count.places, **({} if withheld else taken)}


def _attendance(db: Db, desk: Desk) -> Iterator[Line]:
    told = {one.uid: one for one in _sessions_shown(db, desk) if not withholds_attendance(one.attribution)}
    rows = picks_of(db, desk.actor, desk.forum, told)
    order = {uid: place for place, uid in enumerate(told)}
    for row in sorted(rows, key=lambda each: order[each.session_uid]):
        yield {
            **_person(desk, row),
            "session": told[row.session_uid].code,
            "title": told[row.session_uid].title.of(desk.lang),
            "state": text_of(desk.lang, f"lists.pick.{row.pick_state}"),
            "place": row.number,
            "created_at": local(desk, row.pick_asked_at),
        }


def _programme(db: Db, desk: Desk) -> Iterator[Line]:
    return _drafts(db, desk, visible(working_copy(db, forum_id(desk.forum)), PUBLIC))


def _programme_whole(db: Db, desk: Desk) -> Iterator[Line]:
    return _drafts(db, desk, working_copy(db, forum_id(desk.forum)))


def _drafts(db: Db, desk: Desk, sessions: Iterable[PublishedSession]) -> Iterator[Line]:
    lang, setups = desk.lang, setups_of(db, forum_id(desk.forum))
    for one in sessions:
        cast: dict[str, list[str]] = {}
        for person in one.people:
            cast.setdefault(person.role, []).append(person.shown_as.of(lang))
        setup = setups.get(one.code)
        yield {
            **_session(desk, one),
            **_both("title", one.title),
            **_both("abstract", one.abstract),
            "tracks": ", ".join(one.tracks),
            "objectives": ", ".join(str(number) for number in one.objectives),
            "chair": "; ".join(cast.get("chair", [])),
            "people": "; ".join(
                f"{name} ({text_of(lang, f'editor.role.{role}')})"
                for role, names in cast.items()
                if role != "chair"
                for name in names
            ),
            "spoken": ", ".join(text_of(lang, f"programme.language.{each}") for each in one.spoken),
            "setup": text_of(lang, f"rooms.setup_names.{setup}") if setup else "",
            "cancelled": _yes(desk, so=one.cancelled),
        }


def _speakers(db: Db, desk: Desk) -> Iterator[Line]:
    own = forum_id(desk.forum)
    parts: dict[str, list[str]] = {}
    for session in visible(working_copy(db, own), PUBLIC):
        for person in session.people:
            parts.setdefault(person.code, []).append(session.code)
    for row in speakers_of(db, own):
        yield {
            "code": row.code,
            **_both("name", row.name),
            **_both("function", row.function),
            **_both("institution", row.institution),
            "country": country_name(row.country, desk.lang),
            "voice": text_of(desk.lang, f"coverage.kind.{row.kind}") if row.kind else "",
            "announced": _yes(desk, so=row.announced),
            "guest": _yes(desk, so=row.guest),
            "state": speaker_words.label(desk.lang, Reply(row.state or Reply.UNASKED)).words,
            "sessions": ", ".join(dict.fromkeys(parts.get(row.code, ()))),
            "answered_at": local(desk, row.answered_at),
            "email": row.email or "",
        }


def _rooms(db: Db, desk: Desk) -> Iterator[Line]:
    own = forum_id(desk.forum)
    used: dict[str, int] = {}
    for session in visible(working_copy(db, own), PUBLIC):
        used[session.room or ""] = used.get(session.room or "", 0) + 1

    def named(setup: str) -> str:
        return text_of(desk.lang, f"rooms.setup_names.{setup}")

    for room in rooms_of(db, own):
        yield {
            "code": room.code,
            **_both("name", room.name),
            "seats": room.seats,
            "setup": named(room.setup),
            "setups": ", ".join(f"{named(setup)} {seats}" for setup, seats in room.setups),
            "changeover": room.changeover_minutes,
            "listed": _yes(desk, so=room.listed),
            "sessions": used.get(room.code, 0),
        }


def _coverage(db: Db, desk: Desk) -> Iterator[Line]:
    for section in desk_coverage.read_report(db, desk).sections:
        for row in section.rows:
            for counted, one in zip(section.columns, row.figures, strict=True):
                yield {
                    "part": text_of(desk.lang, f"coverage.section.{section.name}"),
                    "what": row.label,
                    "counted": counted,
                    "figure": one.n,
                    "sessions": ", ".join(one.codes),
                }


def _materials(db: Db, desk: Desk) -> Iterator[Line]:
    own = forum_id(desk.forum)
    sessions = {one.uid: one for one in visible(working_copy(db, own), PUBLIC)}
    for one in materials_of(db, own):
        session = sessions.get(one.session_uid or "")
        if one.removed_at is not None or (one.session_uid and session is None):
            continue
        yield {
            "code": one.code,
            "session": session.code if session else "",
            **_both("title", one.title),
            "kind": text_of(desk.lang, f"materials.kind.{one.kind.value}"),
            "release": text_of(desk.lang, f"materials.release.{one.release.value}"),
            "release_at": local(desk, opens_at(one, session)),
            "announced": _yes(desk, so=one.announced),
            "files": ", ".join(f"{file.language}: {file.name}" for file in one.files),
            "bytes": sum(file.size for file in one.files),
            "link": one.link or "",
        }


# ---- the desk itself


def _mails(db: Db, desk: Desk) -> Iterator[Line]:
    desk.actor.must(Permission.SEE_MAIL, forum_id(desk.forum))
    for row in outbox(db, desk.forum.slug, most=MOST):
        one = desk_outbox.letter(desk.lang, row)
        yield {
            "number": row.id,
            "kind": one.kind,
            "about": one.code,
            "state": one.label.words,
            "language": text_of(desk.lang, f"desk.language.{row.language}"),
            "created_at": local(desk, row.created_at),
            "sent_at": local(desk, row.sent_at),
            "attempts": row.attempts,
            "error": row.error,
            "name": row.to_name,
            "email": row.to_address,
        }


def _facts(db: Db, desk: Desk) -> Iterator[Line]:
    desk.actor.must(Permission.SEE_FACTS, forum_id(desk.forum))
    names: Mapping[str, str] = {}
    attended = {one.code for one in _sessions_shown(db, desk) if not withholds_attendance(one.attribution)}
    for fact in facts_asked(db, desk.forum.slug, Asked(), MOST):
        row = _withheld(fact, attended)
        yield {
            "number": row.number,
            "at": local(desk, row.at),
            "who": desk_history.who(desk.lang, row.actor, row.actor_name),
            "what": desk_history.told(desk.lang, row, names).words,
            "kind": row.kind,
            "about": row.subject,
            "before": _as_json(row.before),
            "after": _as_json(row.after),
            "hash": row.hash,
            "personal": _as_json(row.personal),
        }


def _withheld(fact: Any, attended: Collection[str]) -> Any:
    """The fact without the sessions somebody chose of which nobody may learn who is in them."""
    if not fact.subject.startswith("registration:"):
        return fact
    kept = {
        name: {**told, "sessions": [code for code in told["sessions"] if code in attended]}
        for name, told in (("before", fact.before), ("after", fact.after))
        if told and isinstance(told.get("sessions"), list)
    }
    return SimpleNamespace(**{**fact._asdict(), **kept}) if kept else fact


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _colleagues(db: Db, desk: Desk) -> Iterator[Line]:
    for one in people_of(db, desk.actor, desk.forum):
        yield {
            "name": one.name,
            "email": one.email,
            "roles": ", ".join(text_of(desk.lang, f"access.roles.{role.value}") for role in one.roles),
            "site_owner": _yes(desk, so=one.site_owner),
            "disabled": _yes(desk, so=one.disabled),
            "second_factor": _yes(desk, so=one.second_factor),
            "came_at": local(desk, one.came_at),
        }


_EXPORTS = (Permission.SEE_PEOPLE, Permission.EXPORT_PEOPLE)
_SESSION = ("code", "title", "type", "starts_at", "ends_at", "room", "rule")
_DRAFT = ("code", "title_en", "title_km", "type", "starts_at", "ends_at", "room", "rule", "tracks", "chair", "people")
_DRAFT_MORE = ("objectives", "spoken", "setup", "cancelled", "abstract_en", "abstract_km")
_CONTACT = ("email", "phone")

LISTS: tuple[Listed, ...] = (
    Listed(
        "invitations",
        _EXPORTS,
        columns(
            *("code", "kind", "name", "name_km", "institution", "category", "state", "reply_by", "reference"),
            more=("titles", "position_title", "uses", "used", "kept", "created_at", "answered_at", "language", "email"),
        ),
        _invitations,
    ),
    Listed(
        "delegations",
        _EXPORTS,
        columns(
            *("code", "institution", "institution_km", "country", "category", "seats", "named", "unnamed", "head"),
            *("deadline", "state"),
            more=("reference", "given_up", "uneven_reason", "focal_name", "focal_email"),
        ),
        _delegations,
    ),
    Listed(
        "delegates",
        _EXPORTS,
        columns(
            *("delegation", "institution", "head", "code", "titles", "name", "name_km", "position_title", "standing"),
            more=("attends_as", "country", "category", "place", *_CONTACT),
        ),
        _delegates,
    ),
    Listed(
        "hold-backs",
        _EXPORTS,
        columns("purpose", "category", "kept", "given", "release_at", "released_at", more=("created_at",)),
        _hold_backs,
    ),
    Listed(
        "letters",
        (Permission.SEE_SENSITIVE, Permission.EXPORT_PEOPLE),
        columns("reference", "kind", "code", "name", "language", "created_at"),
        _letters,
    ),
    Listed(
        "sign-ups",
        (Permission.SEE_DESK,),
        columns(*_SESSION, "places", "taken", "waiting", "picked"),
        _sign_ups,
    ),
    Listed(
        "attendance",
        _EXPORTS,
        columns(
            *("session", "title", "code", "name", "name_km", "state", "place"),
            more=(
                "titles",
                "institution",
                "position_title",
                "attends_as",
                "country",
                "category",
                "created_at",
                *_CONTACT,
            ),
        ),
        _attendance,
    ),
    Listed("programme", (Permission.SEE_DESK,), columns(*_DRAFT, more=_DRAFT_MORE), _programme),
    Listed("programme-whole", (Permission.EDIT_PROGRAMME,), columns(*_DRAFT, more=_DRAFT_MORE), _programme_whole),
    Listed(
        "speakers",
        (Permission.SEE_DESK,),
        columns(
            *("code", "name_en", "name_km", "function_en", "function_km", "institution_en", "country", "state"),
            *("sessions",),
            more=("institution_km", "voice", "announced", "guest", "answered_at"),
            guarded={"email": Permission.EDIT_PROGRAMME},
        ),
        _speakers,
    ),
    Listed(
        "rooms",
        (Permission.SEE_DESK,),
        columns("code", "name_en", "name_km", "seats", "setup", "setups", "changeover", "listed", "sessions"),
        _rooms,
    ),
    Listed(
        "coverage",
        (Permission.EDIT_PROGRAMME,),
        columns("part", "what", "counted", "figure", "sessions"),
        _coverage,
    ),
    Listed(
        "materials",
        (Permission.EDIT_PROGRAMME,),
        columns(
            *("session", "code", "title_en", "title_km", "kind", "release", "release_at", "files"),
            more=("announced", "bytes", "link"),
        ),
        _materials,
    ),
    Listed(
        "outbox",
        (Permission.SEE_MAIL,),
        columns(
            *("number", "kind", "about", "state", "language", "created_at", "sent_at", "attempts", "error"),
            guarded={"name": Permission.EXPORT_PEOPLE, "email": Permission.EXPORT_PEOPLE},
        ),
        _mails,
    ),
    Listed(
        "facts",
        (Permission.SEE_FACTS,),
        columns(
            *("number", "at", "who", "what", "about"),
            more=("kind", "before", "after", "hash"),
            guarded={"personal": Permission.SEE_SENSITIVE},
        ),
        _facts,
    ),
    Listed(
        "colleagues",
        (Permission.MANAGE_ACCESS,),
        columns("name", "email", "roles", "came_at", more=("site_owner", "disabled", "second_factor")),
        _colleagues,
    ),
)
"""Every list beside the registrations and the list of participants, which have pages of their own. Of mails never the
text, and sensitive answers in none (rules §2)."""
BY_NAME: Mapping[str, Listed] = {one.name: one for one in LISTS}
