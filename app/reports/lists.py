"""Every list of the desk as rows for a file: its columns, who may take them, and what stands in each.

What leaves obeys the sessions' rules (rules §4.5): a closed session is in none of these lists but those for whoever
edits the programme, and the log; who is in a session under Chatham House is in none at all.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
from app.registration.lettering import desk_letters, reference
from app.registration.list_queries import answered_privately, delegates, picks_of
from app.registration.people import listed_name, shown_institution
from app.registration.pick_queries import Count, attendance_told, counts_of
from app.registration.quotas import house_of
from app.registration.rules.names import list_name
from app.reports import history
from app.reports.countries import country_name
from app.reports.coverage import read_report
from app.reports.reader import Reader, local
from app.reports.standings import (
    code_in,
    delegation_words,
    invitation_words,
    mail_kind,
    mail_state,
    registration_words,
    reply_words,
)
from app.reports.tables import Cell

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
    read: Callable[[Db, Reader], Iterable[Line]]

    def is_for(self, reader: Reader) -> bool:
        """May whoever reads take it?"""
        return all(reader.may(need) for need in self.needs)

    def offered(self, reader: Reader) -> list[Column]:
        """The columns that whoever reads may take."""
        return [one for one in self.columns if one.need is None or reader.may(one.need)]


def columns(
    *usual: str, more: Iterable[str] = (), guarded: Mapping[str, Permission] | None = None
) -> tuple[Column, ...]:
    """Columns that are ticked to begin with, others that are not, and those that need something of their own."""
    return (
        *(Column(name) for name in usual),
        *(Column(name, usual=False) for name in more),
        *(Column(name, usual=False, need=need) for name, need in (guarded or {}).items()),
    )


def _yes(reader: Reader, *, so: bool) -> str:
    return text_of(reader.lang, "rooms.yes" if so else "rooms.no")


def _both(name: str, text: Bilingual | None) -> Line:
    return {f"{name}_en": text.en if text else "", f"{name}_km": text.km if text else ""}


# ---- people


def _person(reader: Reader, row: Any) -> dict[str, Cell]:
    """A registration's person; in a private capacity without institution and function (rules §2)."""
    is_private = row.attends_as == "private"
    return {
        "code": row.code,
        "name": listed_name(row),
        "name_km": row.name_km,
        "titles": ", ".join(row.titles or ()),
        "institution": shown_institution(row),
        "position_title": "" if is_private else row.position_title,
        "attends_as": text_of(reader.lang, f"export.{row.attends_as}"),
        "country": country_name(row.country, reader.lang),
        "category": row.category_name.of(reader.lang),
        "standing": registration_words(reader.lang, row),
        "email": row.email,
        "phone": row.phone,
    }


def _invitations(db: Db, reader: Reader) -> Iterator[Line]:
    rows, _ = desk_invitations(db, reader.actor, reader.forum, Sought(), most=MOST)
    privately = answered_privately(db, reader.actor, reader.forum)
    for row in rows:
        is_private = row.id in privately
        yield {
            "code": row.code,
            "kind": text_of(reader.lang, f"lists.invitation.{row.kind}"),
            "name": "" if row.kind == "code" else listed_name(row) or text_of(reader.lang, "desk.erased.name"),
            "name_km": row.name_km,
            "titles": ", ".join(row.titles or ()),
            "institution": "" if is_private else row.institution,
            "position_title": "" if is_private else row.position_title,
            "category": row.category_name.of(reader.lang),
            "state": invitation_words(reader.lang, row),
            "reference": row.reference,
            "uses": row.uses,
            "used": row.used,
            "kept": row.kept,
            "reply_by": local(reader, row.reply_by),
            "created_at": local(reader, row.created_at),
            "answered_at": local(reader, row.answered_at),
            "language": text_of(reader.lang, f"desk.language.{row.language}"),
            "email": row.email,
        }


def _delegations(db: Db, reader: Reader) -> Iterator[Line]:
    now = clock.now()
    for one in delegations(db, reader.actor, reader.forum):
        row = one.row
        yield {
            "code": row.code,
            "institution": row.institution,
            "institution_km": row.institution_km,
            "country": country_name(row.country, reader.lang),
            "category": row.category_name.of(reader.lang),
            "reference": row.reference,
            "seats": row.seats,
            "named": one.named,
            "unnamed": one.unnamed,
            "given_up": one.given_up,
            "head": list_name(row.head_family_name, row.head_given_name, row.head_display_name)
            if row.head_code and row.head_attends_as != "private"
            else "",
            "deadline": local(reader, row.deadline),
            "state": delegation_words(reader.lang, row, now),
            "focal_name": row.focal_name,
            "focal_email": row.focal_email,
            "uneven_reason": row.uneven_reason,
        }


def _delegates(db: Db, reader: Reader) -> Iterator[Line]:
    for row in delegates(db, reader.actor, reader.forum):
        # whoever attends for themselves stands without the institution, and so without its delegation
        is_private = row.attends_as == "private"
        institution = Bilingual(row.delegation_name, row.delegation_name_km).of(reader.lang)
        yield {
            **_person(reader, row),
            "delegation": "" if is_private else row.delegation,
            "institution": "" if is_private else institution,
            "head": _yes(reader, so=row.heads_delegation and not is_private),
            "place": row.place,
        }


def _hold_backs(db: Db, reader: Reader) -> Iterator[Line]:
    names = {row.id: row.name.of(reader.lang) for row in house_of(db, forum_id(reader.forum)).categories.values()}
    for row in hold_backs(db, reader.actor, reader.forum):
        yield {
            "purpose": row.purpose,
            "category": names.get(row.category_id, ""),
            "kept": row.kept,
            "given": row.given,
            "release_at": local(reader, row.release_at),
            "released_at": local(reader, row.released_at),
            "created_at": local(reader, row.created_at),
        }


def _letters(db: Db, reader: Reader) -> Iterator[Line]:
    for row in desk_letters(db, reader.actor, reader.forum):
        yield {
            "reference": reference(reader.forum, row),
            "kind": text_of(reader.lang, f"lists.letter.{row.kind}"),
            "code": row.registration,
            "name": listed_name(row),
            "language": text_of(reader.lang, f"desk.language.{row.language}"),
            "created_at": local(reader, row.asked_at),
        }


# ---- sessions


def _sessions_shown(db: Db, reader: Reader) -> list[PublishedSession]:
    """The published sessions that exist for everybody, by time."""
    sessions = visible(published(db, forum_id(reader.forum)).sessions, PUBLIC)
    return sorted(sessions, key=lambda one: (one.starts_at is None, one.starts_at or one.changed_at, one.code))


def _session(reader: Reader, one: PublishedSession) -> dict[str, Cell]:
    lang = reader.lang
    return {
        "code": one.code,
        "title": one.title.of(lang),
        "type": text_of(lang, f"programme.type.{one.type}"),
        "starts_at": local(reader, one.starts_at),
        "ends_at": local(reader, one.ends_at),
        "room": one.room_name.of(lang) if one.room_name else "",
        "rule": text_of(lang, f"editor.attribution.{one.attribution.value}") if one.attribution else "",
    }


def _sign_ups(db: Db, reader: Reader) -> Iterator[Line]:
    counts = counts_of(db, forum_id(reader.forum))
    for one in _sessions_shown(db, reader):
        if one.attribution is None:
            continue
        count = counts.get(one.uid, Count(None))
        taken: dict[str, Cell] = {"taken": count.taken, "waiting": count.waiting, "picked": count.picked}
        withheld = withholds_attendance(one.attribution)
        yield {**_session(reader, one), "places": count.places, **({} if withheld else taken)}


def _attendance(db: Db, reader: Reader) -> Iterator[Line]:
    told = {one.uid: one for one in _sessions_shown(db, reader) if not withholds_attendance(one.attribution)}
    rows = picks_of(db, reader.actor, reader.forum, told)
    order = {uid: place for place, uid in enumerate(told)}
    for row in sorted(rows, key=lambda each: order[each.session_uid]):
        yield {
            **_person(reader, row),
            "session": told[row.session_uid].code,
            "title": told[row.session_uid].title.of(reader.lang),
            "state": text_of(reader.lang, f"lists.pick.{row.pick_state}"),
            "place": row.number,
            "created_at": local(reader, row.pick_asked_at),
        }


def _programme(db: Db, reader: Reader) -> Iterator[Line]:
    return _drafts(db, reader, visible(working_copy(db, forum_id(reader.forum)), PUBLIC))


def _programme_whole(db: Db, reader: Reader) -> Iterator[Line]:
    return _drafts(db, reader, working_copy(db, forum_id(reader.forum)))


def _drafts(db: Db, reader: Reader, sessions: Iterable[PublishedSession]) -> Iterator[Line]:
    lang, setups = reader.lang, setups_of(db, forum_id(reader.forum))
    for one in sessions:
        cast: dict[str, list[str]] = {}
        for person in one.people:
            cast.setdefault(person.role, []).append(person.shown_as.of(lang))
        setup = setups.get(one.code)
        yield {
            **_session(reader, one),
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
            "cancelled": _yes(reader, so=one.cancelled),
        }


def _speakers(db: Db, reader: Reader) -> Iterator[Line]:
    own = forum_id(reader.forum)
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
            "country": country_name(row.country, reader.lang),
            "voice": text_of(reader.lang, f"coverage.kind.{row.kind}") if row.kind else "",
            "announced": _yes(reader, so=row.announced),
            "guest": _yes(reader, so=row.guest),
            "state": reply_words(reader.lang, Reply(row.state or Reply.UNASKED)),
            "sessions": ", ".join(dict.fromkeys(parts.get(row.code, ()))),
            "answered_at": local(reader, row.answered_at),
            "email": row.email or "",
        }


def _rooms(db: Db, reader: Reader) -> Iterator[Line]:
    own = forum_id(reader.forum)
    used: dict[str, int] = {}
    for session in visible(working_copy(db, own), PUBLIC):
        used[session.room or ""] = used.get(session.room or "", 0) + 1

    def named(setup: str) -> str:
        return text_of(reader.lang, f"rooms.setup_names.{setup}")

    for room in rooms_of(db, own):
        yield {
            "code": room.code,
            **_both("name", room.name),
            "seats": room.seats,
            "setup": named(room.setup),
            "setups": ", ".join(f"{named(setup)} {seats}" for setup, seats in room.setups),
            "changeover": room.changeover_minutes,
            "listed": _yes(reader, so=room.listed),
            "sessions": used.get(room.code, 0),
        }


def _coverage(db: Db, reader: Reader) -> Iterator[Line]:
    for section in read_report(db, reader.forum, reader.lang).sections:
        for row in section.rows:
            for counted, one in zip(section.columns, row.figures, strict=True):
                yield {
                    "part": text_of(reader.lang, f"coverage.section.{section.name}"),
                    "what": row.label,
                    "counted": counted,
                    "figure": one.n,
                    "sessions": ", ".join(one.codes),
                }


def _materials(db: Db, reader: Reader) -> Iterator[Line]:
    own = forum_id(reader.forum)
    sessions = {one.uid: one for one in visible(working_copy(db, own), PUBLIC)}
    for one in materials_of(db, own):
        session = sessions.get(one.session_uid or "")
        if one.removed_at is not None or (one.session_uid and session is None):
            continue
        yield {
            "code": one.code,
            "session": session.code if session else "",
            **_both("title", one.title),
            "kind": text_of(reader.lang, f"materials.kind.{one.kind.value}"),
            "release": text_of(reader.lang, f"materials.release.{one.release.value}"),
            "release_at": local(reader, opens_at(one, session)),
            "announced": _yes(reader, so=one.announced),
            "files": ", ".join(f"{file.language}: {file.name}" for file in one.files),
            "bytes": sum(file.size for file in one.files),
            "link": one.link or "",
        }


# ---- the desk itself


def _mails(db: Db, reader: Reader) -> Iterator[Line]:
    reader.actor.must(Permission.SEE_MAIL, forum_id(reader.forum))
    for row in outbox(db, reader.forum.slug, most=MOST):
        yield {
            "number": row.id,
            "kind": mail_kind(reader.lang, row.template),
            "about": code_in(row.subject),
            "state": mail_state(reader.lang, row.state),
            "language": text_of(reader.lang, f"desk.language.{row.language}"),
            "created_at": local(reader, row.created_at),
            "sent_at": local(reader, row.sent_at),
            "attempts": row.attempts,
            "error": row.error,
            "name": row.to_name,
            "email": row.to_address,
        }


def _facts(db: Db, reader: Reader) -> Iterator[Line]:
    reader.actor.must(Permission.SEE_FACTS, forum_id(reader.forum))
    names: Mapping[str, str] = {}
    attended = attendance_told(db, reader.forum)
    for fact in facts_asked(db, reader.forum.slug, Asked(), MOST):
        row = history.leaving(fact, attended)
        yield {
            "number": row.number,
            "at": local(reader, row.at),
            "who": history.who(reader.lang, row.actor, row.actor_name),
            "what": history.told(reader.lang, row, names).words,
            "kind": row.kind,
            "about": row.subject,
            "before": _as_json(row.before),
            "after": _as_json(row.after),
            "hash": row.hash,
            "personal": _as_json(row.personal),
        }


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _colleagues(db: Db, reader: Reader) -> Iterator[Line]:
    for one in people_of(db, reader.actor, reader.forum):
        yield {
            "name": one.name,
            "email": one.email,
            "roles": ", ".join(text_of(reader.lang, f"access.roles.{role.value}") for role in one.roles),
            "site_owner": _yes(reader, so=one.site_owner),
            "disabled": _yes(reader, so=one.disabled),
            "second_factor": _yes(reader, so=one.second_factor),
            "came_at": local(reader, one.came_at),
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
