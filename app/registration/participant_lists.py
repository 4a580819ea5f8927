"""The list of participants as protocol gives it out: who stands on it, under which heading, and what is said of each.

Family names in capitals, titles and posts as typed; nobody's address, no answer and no session (rules §2, §4.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, insert, select

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db, table
from app.kit.errors import NotFound, Refused
from app.kit.inputs import Input
from app.registration.inputs import Ticked
from app.registration.models import Application, KeptLine, KeptList
from app.registration.people import listed_name
from app.registration.rank_queries import LIVE, Ranked, ladder_of, people_in_order
from app.registration.rules.states import State
from app.registration.rules.titles import titles_beside

_applications, _lists, _lines = table(Application), table(KeptList), table(KeptLine)

MOST = 5000
"""So many people are set as a PDF or kept: three seconds and 500 MB; whoever waits may be a hundred thousand."""


class LayoutInput(Input):
    """How a list is set out: its language or both, under which headings, and whether whoever is not seated yet stands
    on it too."""

    language: Literal["en", "km", "both"]
    group: Literal["category", "delegation"]
    all_live: Ticked = False


@dataclass(frozen=True, slots=True)
class Issue:
    """A list as it is given out. `number` is 0 of a provisional one, 1 of the first final one; a higher one revises it.

    `lines` are in order, each with what `line_of` says. `made_at` (UTC) is the state of which it speaks.
    """

    number: int
    made_at: datetime
    layout: LayoutInput
    lines: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class KeptView:
    """A final list in the list of them."""

    number: int
    made_at: datetime
    layout: LayoutInput
    people: int


def lines_now(db: Db, by: Actor, forum: Forum, layout: LayoutInput) -> list[tuple[int, dict[str, Any]]]:
    """The list as it stands now, as (id of the registration, line). Three queries. Raises Forbidden without
    `export_people`."""
    own = forum_id(forum)
    by.must(Permission.EXPORT_PEOPLE, own)
    states = LIVE if layout.all_live else (State.SEATED,)
    people = people_in_order(db, by, forum, ladder_of(db, own), states=states)
    lines = [(one.row.id, line_of(one, layout.group)) for one in people]
    # headings in the order of their highest person; under a delegation its head goes first
    first: dict[str, int] = {}
    for place, (_, line) in enumerate(lines):
        first.setdefault(line["heading"]["en"], place)
    by_head = layout.group == "delegation"
    return sorted(lines, key=lambda one: (first[one[1]["heading"]["en"]], by_head and not one[1]["head"]))


def line_of(one: Ranked, group: str) -> dict[str, Any]:
    """One person as the list says them; of whoever attends in a private capacity neither post nor institution nor the
    country of who sent them, and where the headings are delegations none of these (rules §2)."""
    row, is_private = one.row, one.row.attends_as == "private"
    institution = {"en": row.delegation_name or row.institution, "km": row.delegation_name_km or row.institution}
    return {
        "heading": _heading(row, group, is_private=is_private),
        "titles": " ".join(titles_beside(row.titles or (), khmer=False)),
        "name": listed_name(row),
        "titles_km": " ".join(titles_beside(row.titles or (), khmer=True)),
        "name_km": row.name_km,
        "post": "" if is_private else row.position_title,
        "institution": {"en": "", "km": ""} if is_private else institution,
        "country": row.country if is_private else row.delegation_country or row.country,
        "private": is_private,
        "head": row.heads_delegation and not is_private,
    }


def _heading(row: Any, group: str, *, is_private: bool) -> dict[str, str]:
    """Both languages' words; none for the heading that the catalogue names (private capacity)."""
    if group == "delegation":
        if is_private:
            return {"en": "", "km": ""}
        if row.delegation_name:
            return {"en": row.delegation_name, "km": row.delegation_name_km or row.delegation_name}
    return {"en": row.category_name.of("en"), "km": row.category_name.of("km")}


def issue(
    db: Db,
    by: Actor,
    forum: Forum,
    layout: LayoutInput,
    lines: Sequence[tuple[int, dict[str, Any]]],
    kind: str,
    *,
    final: bool,
    now: datetime,
) -> Issue:
    """Give a list out, as a file of this kind, and note that it was done.

    A final one is kept, numbered, as what it says: whoever was erased since it was read is left out. Raises Forbidden
    without `export_people`, and of a final one without `edit_protocol`; Refused("participants_too_many") where a PDF or
    a final one would have more than `MOST`.
    """
    own, number = forum_id(forum), 0
    by.must(Permission.EXPORT_PEOPLE, own)
    there = set(
        db.execute(
            select(_applications.c.id).where(_applications.c.forum_id == own, _applications.c.erased_at.is_(None))
        ).scalars()
    )
    kept = [(person, line) for person, line in lines if person in there]
    if len(kept) > MOST and (final or kind == "pdf"):
        raise Refused("participants_too_many", n=len(kept), most=MOST)
    if final:
        by.must(Permission.EDIT_PROTOCOL, own)
        last = db.execute(select(func.max(_lists.c.number)).where(_lists.c.forum_id == own)).scalar_one()
        number = (last or 0) + 1
        row = KeptList(forum_id=own, number=number, made_at=now, layout=layout.model_dump())
        db.add(row)
        db.flush()
        rows = [
            {"list_id": row.id, "position": place, "application_id": person, "line": line}
            for place, (person, line) in enumerate(kept, 1)
        ]
        if rows:
            db.execute(insert(_lines), rows)
    _told(
        db, by, forum, "participants.final" if final else "participants.provisional", number, len(kept), kind, now=now
    )
    return Issue(number, now, layout, [line for _, line in kept])


def kept_issue(db: Db, by: Actor, forum: Forum, number: int, kind: str, *, now: datetime) -> Issue:
    """A final list again, as it was given out but for whoever had themselves erased since; noted too. Raises NotFound;
    Forbidden without `export_people`."""
    found = lines_kept(db, by, forum, number)
    _told(db, by, forum, "participants.again", number, len(found.lines), kind, now=now)
    return found


def lines_kept(db: Db, by: Actor, forum: Forum, number: int) -> Issue:
    """A final list as it is kept. Two queries. Raises NotFound; Forbidden without `export_people`."""
    own = forum_id(forum)
    by.must(Permission.EXPORT_PEOPLE, own)
    row = db.execute(select(_lists).where(_lists.c.forum_id == own, _lists.c.number == number)).first()
    if row is None:
        raise NotFound
    found = select(_lines.c.line).where(_lines.c.list_id == row.id).order_by(_lines.c.position)
    return Issue(number, row.made_at, LayoutInput(**row.layout), list(db.execute(found).scalars()))


def kept_lists(db: Db, by: Actor, forum: Forum) -> list[KeptView]:
    """The final lists there are (number, made_at, layout, people), the newest first. One query."""
    own = forum_id(forum)
    by.must(Permission.EXPORT_PEOPLE, own)
    people = select(func.count()).where(_lines.c.list_id == _lists.c.id).scalar_subquery().label("people")
    wanted = select(_lists.c.number, _lists.c.made_at, _lists.c.layout, people).where(_lists.c.forum_id == own)
    return [
        KeptView(row.number, row.made_at, LayoutInput(**row.layout), row.people)
        for row in db.execute(wanted.order_by(_lists.c.number.desc()))
    ]


def _told(db: Db, by: Actor, forum: Forum, what: str, number: int, people: int, kind: str, *, now: datetime) -> None:
    after = {"number": number, "people": people, "kind": kind}
    record(db, forum.slug, by.signature, what, f"forum:{forum.slug}", now=now, after=after)
