"""The speakers at the desk: who there is, by which name or function, and how to reach them."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import Conflict, Fault, Invalid, Refused
from app.kit.i18n import Bilingual
from app.kit.pen import republish
from app.programme.asking_queries import roles_of, speaker_of
from app.programme.drafting import take_speaker_out
from app.programme.inputs import TypedSpeaker
from app.programme.models import Asking, Speaker

_speakers, _askings = table(Speaker), table(Asking)
NEW = "new"
"""Where the empty form stands; no speaker bears it as a code."""
PUBLIC = frozenset({"name", "function", "institution", "country", "bio", "announced", "guest"})
FIELDS = (*sorted(PUBLIC), "email", "language")
"""What a form may change of a speaker."""


def add_speaker(db: Db, by: Actor, forum: Forum, sent: TypedSpeaker, *, now: datetime) -> str:
    """One more speaker, behind the others; the code. Raises Invalid: `speaker_code_taken`, `announced_without_name`."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    values = values_of(sent)
    codes = set(db.execute(select(_speakers.c.code).where(_speakers.c.forum_id == own)).scalars())
    if sent.code in {*codes, NEW}:
        raise Invalid([Fault("code", "speaker_code_taken", {"code": sent.code})])
    code = sent.code or _free_code(sent.function_en, codes)
    last = db.execute(select(func.max(_speakers.c.position)).where(_speakers.c.forum_id == own)).scalar()
    position = 0 if last is None else last + 1
    row = {"forum_id": own, "code": code, "position": position, "edition": 1}
    row |= {name: values[name] for name in PUBLIC}
    made = db.execute(insert(_speakers).values(**row).returning(_speakers.c.id)).scalar_one()
    if values["email"] or values["language"] != "en":
        keep_contact(db, made, values["email"], values["language"], now=now)
    told = _in_words(values)
    record(db, forum.slug, by.signature, "speaker.added", f"speaker:{code}", now=now, personal={"after": told})
    return code


def change_speaker(
    db: Db, by: Actor, forum: Forum, code: str, sent: TypedSpeaker, *, edition: int, now: datetime
) -> bool:
    """Bring a speaker to what was sent; says whether anything changed. The code stays: addresses know it.

    The public sees it with the next version. Raises NotFound; Conflict("speaker_changed") where somebody, maybe the
    speaker, was quicker; Invalid("announced_without_name").
    """
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    was, values = speaker_of(db, own, code), values_of(sent)
    if was.edition != edition:
        raise Conflict("speaker_changed")
    before = current(was)
    changed = [name for name in FIELDS if before[name] != values[name]]
    if not changed:
        return False
    new = {name: values[name] for name in PUBLIC} | {"edition": was.edition + 1}
    db.execute(update(_speakers).where(_speakers.c.id == was.id).values(**new))
    if {"email", "language"} & set(changed):
        keep_contact(db, was.id, values["email"], values["language"], now=now)
    if "announced" in changed:
        republish(db, forum.slug)  # older versions ask whose name is withheld now
    told = {"before": _in_words(before, changed), "after": _in_words(values, changed)}
    after = {"changed": changed}
    record(db, forum.slug, by.signature, "speaker.changed", f"speaker:{code}", now=now, after=after, personal=told)
    return True


def remove_speaker(db: Db, by: Actor, forum: Forum, code: str, *, now: datetime) -> None:
    """A speaker goes. Raises NotFound; Refused("speaker_in_sessions") with the codes of the sessions in the way."""
    own = forum_id(forum)
    by.must(Permission.EDIT_PROGRAMME, own)
    row = speaker_of(db, own, code)
    if parts := roles_of(db, own).get(code):
        raise Refused("speaker_in_sessions", sessions=", ".join(dict.fromkeys(part.code for part in parts)))
    take_speaker_out(db, db.execute(select(Speaker).where(_speakers.c.id == row.id)).scalar_one())
    db.flush()
    record(db, forum.slug, by.signature, "speaker.removed", f"speaker:{code}", now=now)


def keep_contact(db: Db, speaker: int, email: str, language: str, *, now: datetime) -> None:
    """Where a speaker is reached, in which language; the row of what they are asked begins with it."""
    kept = {"email": email, "language": language, "changed_at": now}
    if db.execute(update(_askings).where(_askings.c.speaker_id == speaker).values(**kept)).rowcount:  # type: ignore[attr-defined]
        return
    begun = {"state": "unasked", "note": "", "digest": "", "feed_digest": "", "away": [], "away_note": ""}
    generations = {"generation": _anywhere(), "feed_generation": _anywhere()}
    db.execute(insert(_askings).values(speaker_id=speaker, **kept, **begun, **generations))


def _anywhere() -> int:
    """Where a generation begins: at random, so that a row's number used again makes no old link live."""
    return 1 + secrets.randbelow(1 << 30)


def current(row: Any) -> dict[str, Any]:
    """A stored speaker by the names of `FIELDS`."""
    return {**{name: getattr(row, name) for name in PUBLIC}, "email": row.email or "", "language": row.language or "en"}


def values_of(sent: TypedSpeaker) -> dict[str, Any]:
    """What was sent by the names of `FIELDS`. Raises Invalid("announced_without_name")."""
    name = Bilingual(sent.name_en, sent.name_km) or None
    if sent.announced and name is None:
        raise Invalid([Fault("name_en", "announced_without_name")])
    institution = Bilingual(sent.institution_en, sent.institution_km) or None
    if institution is not None and not (institution.en and institution.km):
        missing = "institution_km" if institution.en else "institution_en"
        raise Invalid([Fault(missing, "both_languages")])
    return {
        "name": name,
        "function": Bilingual(sent.function_en, sent.function_km),
        "institution": institution,
        "country": sent.country,
        "bio": Bilingual(sent.bio_en, sent.bio_km) or None,
        "announced": sent.announced,
        "guest": sent.guest,
        "email": sent.email or "",
        "language": sent.language,
    }


def _free_code(function: str, taken: set[str]) -> str:
    """A code made of a function, never of a name: addresses show it before the name is announced."""
    plain = unicodedata.normalize("NFKD", function).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "speaker"
    number, code = 1, stem
    while code in {*taken, NEW}:
        number += 1
        code = f"{stem}-{number}"
    return code


def _in_words(values: Mapping[str, Any], names: Any = FIELDS) -> dict[str, str]:
    """Values as a fact keeps them, under its personal part."""
    told = {}
    for name in names:
        value = values[name]
        told[name] = " / ".join(filter(None, (value.en, value.km))) if isinstance(value, Bilingual) else _plain(value)
    return told


def _plain(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value or "")
