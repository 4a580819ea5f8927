"""The desk's overview in words and addresses: what needs a decision now, who waits and why, what stands in the way of
the programme, and the balance of those who come. Each figure leads to what it counts, where one may see it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from app.accounts.rules import Permission
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.i18n import Lang, text_of
from app.programme.asking_queries import unanswered
from app.registration import overview_queries
from app.registration.desk_filters import UNSAID
from app.registration.desk_queries import Overview
from app.registration.overview_queries import SOON, Option, Queue
from app.registration.people import listed_name
from app.registration.quotas import House
from app.registration.rules.balance import SIDES, Balance, Share, Side
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.working import Obstacle, read_working

MOST_WAITING = 15
"""People of the waiting list that the page names."""
NAMED_OF = 1000
"""From a list as long as this nobody is named: to find who is first in it costs more than a page may."""
MOST_COUNTRIES, MOST_INSTITUTIONS, MOST_OBSTACLES = 12, 15, 6


@dataclass(frozen=True, slots=True)
class Programme:
    """What stands in the way of the working copy: hard conflicts without a reason, those with one, warnings that nobody
    meant, and how many sessions differ from what is public."""

    open: tuple[Obstacle, ...]
    explained: int
    warnings: tuple[Obstacle, ...]
    changed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page reads beside the seats."""

    due: Mapping[str, int]
    doubles: int | None
    speakers: int
    programme: Programme
    queues: tuple[Queue, ...]
    waiting: Sequence[Any]
    balance: Balance
    genders: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for somebody: how many, in words, and where it is done; "" for who may not go there."""

    kind: str
    number: int
    words: str
    href: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a part of the balance. Widths are of a hundred, of the part's longest line; `marks` are categories
    and their addresses; `typed`: the name is as somebody typed it."""

    name: str
    typed: bool
    confirmed: int
    unconfirmed: int
    percent: int
    sure: str
    held: str
    confirmed_href: str
    unconfirmed_href: str
    marks: tuple[tuple[Any, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One way in which the same people are counted; `rest` is how many more keys there are, with how many people."""

    name: str
    lines: tuple[Line, ...]
    rest: tuple[int, int] = (0, 0)


def look(db: Db, desk: Desk, house: House, overview: Overview, now: datetime) -> Seen:
    """Read it all, with as many queries whatever there is."""
    by, forum, sees_people = desk.actor, desk.forum, desk.may(Permission.SEE_PEOPLE)
    waiting = {row.tally.code: n for row in overview.seats if (n := row.tally.of("waiting"))}
    named = sees_people and 0 < sum(waiting.values()) <= NAMED_OF
    working = read_working(db, desk, now)
    hard = [one for one in working.obstacles if one.hard]
    return Seen(
        due=overview_queries.due_soon(db, by, forum, now=now),
        doubles=overview_queries.doubles_count(db, by, forum) if sees_people else None,
        speakers=unanswered(db, forum_id(forum)),
        programme=Programme(
            open=tuple(one for one in hard if one.calls),
            explained=sum(not one.calls for one in hard),
            warnings=tuple(one for one in working.obstacles if not one.hard and not one.intended),
            changed=sum(bool(working.standing(session)) for session in working.sessions),
        ),
        queues=overview_queries.queues(house, waiting, now=now),
        waiting=overview_queries.first_waiting(db, by, forum, most=MOST_WAITING) if named else (),
        balance=overview_queries.present(db, by, forum),
        genders=overview_queries.genders(db, by, forum),
    )


def tasks(
    desk: Desk, seen: Seen, house: House, overview: Overview, mail: Mapping[str, int], now: datetime
) -> list[Task]:
    """What needs a decision now: what is wrong first, then what waits, then what ends by itself soon."""
    lapsing = [
        row.code
        for row in house.categories.values()
        if row.guarantee and not row.lapse_settled and row.lapses_at is not None and now < row.lapses_at < now + SOON
    ]
    found = {
        "over": (max(0, overview.total("taken") - overview.capacity), "/seats", Permission.EDIT_FORUM),
        "conflicts": (len(seen.programme.open), "/programme#conflicts", Permission.SEE_DESK),
        "mail_failed": (mail["failed"], "/outbox?state=failed", Permission.SEE_MAIL),
        "awaiting": (overview.standing("awaiting"), "/registrations?state=awaiting", Permission.SEE_PEOPLE),
        "doubles": (seen.doubles or 0, "/duplicates", Permission.SEE_PEOPLE),
        "speakers": (seen.speakers, "/speakers", Permission.SEE_DESK),
        "unpublished": (seen.programme.changed, "/programme/versions", Permission.SEE_DESK),
        "offers": (seen.due.get("offers", 0), "/registrations?state=offered", Permission.SEE_PEOPLE),
        "delegations": (seen.due.get("delegations", 0), "/delegations", Permission.SEE_PEOPLE),
        "invitations": (seen.due.get("invitations", 0), "/invitations?reply=open", Permission.SEE_PEOPLE),
        "hold_backs": (seen.due.get("hold_backs", 0), "/hold-backs", Permission.SEE_PEOPLE),
        "lapses": (len(lapsing), "/seats", Permission.EDIT_FORUM),
    }
    return [
        Task(
            kind,
            number,
            text_of(desk.lang, f"overview.task.{kind}", n=number),
            f"{desk.base}{tail}" if desk.may(need) else "",
            kind in {"over", "conflicts", "mail_failed"},
        )
        for kind, (number, tail, need) in found.items()
        if number
    ]


@dataclass(frozen=True, slots=True)
class Waits:
    """Those of one category who wait, and the sentence that says why."""

    category: Any
    number: int
    why: str
    href: str


def waits(desk: Desk, seen: Seen, house: House) -> list[Waits]:
    """The waiting list by category with its reasons."""
    return [
        Waits(
            one.category, one.number, why_in_words(desk.lang, one, house), _people(desk, one.category.code, "waiting")
        )
        for one in seen.queues
    ]


def why_in_words(lang: Lang, queue: Queue, house: House) -> str:
    """One sentence: which rule keeps these people, with its numbers."""
    reason, glue = queue.reason, text_of(lang, "overview.and")
    groups = glue.join(house.categories[code].name.of(lang) for code in reason.promised_to)
    values = {"limit": reason.limit, "capacity": reason.capacity, "over": reason.over, "n": reason.free}
    outside = "" if queue.category.in_hall else "_outside"
    return text_of(lang, f"overview.why.{reason.why.value}{outside}", **values, groups=groups)


@dataclass(frozen=True, slots=True)
class Waiter:
    """One of those who wait, by name."""

    name: str
    href: str
    category: Any
    asked_at: datetime
    notes: str


def waiters(desk: Desk, seen: Seen, house: House) -> list[Waiter]:
    """The first in the list, in its order."""
    found = []
    for row in seen.waiting:
        notes = [text_of(desk.lang, "overview.priority", n=row.priority)] if row.priority else []
        notes += [] if row.confirmed_at else [text_of(desk.lang, "overview.unconfirmed")]
        category = house.categories[row.category]
        address = f"{desk.base}/registrations/{row.code}"
        found.append(Waiter(listed_name(row) or row.code, address, category, row.asked_at, " · ".join(notes)))
    return found


def parts(desk: Desk, seen: Seen, house: House) -> Iterator[Part]:
    """The balance: ASEAN and others, the two communities, gender if it is asked, groups, countries, institutions."""
    lang, balance = desk.lang, seen.balance
    categories = house.categories
    groups = _lines(balance.groups, lambda key: text_of(lang, f"coverage.group.{key}"), balance.all, desk, "origin")
    yield Part("groups", groups)
    marks = {
        side.value: tuple(
            (categories[code], f"{desk.base}/registrations?category={code}" if _sees(desk) else "")
            for code in categories
            if SIDES.get(code) is side
        )
        for side in Side
    }
    communities = {side.value: text_of(lang, f"overview.side.{side.value}") for side in Side}
    sides = _lines(balance.sides, communities.__getitem__, balance.all, desk, "side", marks=marks)
    yield Part("sides", sides)
    if seen.genders:
        names = {option.value: option.name.of(lang) for option in seen.genders}
        names[UNSAID] = text_of(lang, "coverage.group.unknown")
        said = [Share(option.value, option.confirmed, option.unconfirmed) for option in seen.genders]
        silent = Share(
            UNSAID,
            sum(share.confirmed for share in balance.groups) - sum(share.confirmed for share in said),
            sum(share.unconfirmed for share in balance.groups) - sum(share.unconfirmed for share in said),
        )
        said += [silent] if silent.all else []
        yield Part("gender", _lines(said, names.__getitem__, balance.all, desk, "gender"))
    yield Part(
        "categories",
        _lines(balance.categories, lambda key: categories[key].name.of(lang), balance.all, desk, "category"),
    )
    unknown = text_of(lang, "coverage.group.unknown")
    yield _longest(
        "countries",
        balance.countries,
        MOST_COUNTRIES,
        lambda key: country_name(key, lang) or unknown,
        desk,
        balance.all,
    )
    if _sees(desk):  # where one person comes from somewhere, the place tells who
        yield _longest("institutions", balance.institutions, MOST_INSTITUTIONS, str, desk, balance.all)


def _longest(name: str, shares: Sequence[Share], most: int, words: Any, desk: Desk, whole: int) -> Part:
    rest = shares[most:]
    asked = {"countries": "country", "institutions": "institution"}[name]
    lines = _lines(shares[:most], words, whole, desk, asked, typed=name == "institutions")
    return Part(name, lines, (len(rest), sum(share.all for share in rest)))


def _lines(
    shares: Sequence[Share],
    words: Any,
    whole: int,
    desk: Desk | None = None,
    asked: str = "",
    *,
    marks: Mapping[str, tuple[tuple[Any, str], ...]] | None = None,
    typed: bool = False,
) -> tuple[Line, ...]:
    """Shares as lines; with a `desk` each leads to the list asked by `asked`. A country that nobody said is asked as
    an origin that is not known."""
    longest = max((share.all for share in shares), default=0) or 1
    found = []
    for share in shares:
        question = {asked: share.key} if share.key else {"origin": "unknown"}
        base = f"{desk.base}/registrations?{urlencode(question)}" if desk and _sees(desk) else ""
        found.append(
            Line(
                name=words(share.key),
                typed=typed,
                confirmed=share.confirmed,
                unconfirmed=share.unconfirmed,
                percent=round(100 * share.all / whole) if whole else 0,
                sure=f"{100 * share.confirmed / longest:.2f}",
                held=f"{100 * share.unconfirmed / longest:.2f}",
                confirmed_href=f"{base}&state=confirmed" if base else "",
                unconfirmed_href=f"{base}&state=unconfirmed" if base else "",
                marks=(marks or {}).get(share.key, ()),
            )
        )
    return tuple(found)


def values(
    desk: Desk, seen: Seen, house: House, overview: Overview, mail: Mapping[str, int], now: datetime
) -> dict[str, Any]:
    """What the template shows of it."""
    return {
        "tasks": tasks(desk, seen, house, overview, mail, now),
        "waits": waits(desk, seen, house),
        "waiters": waiters(desk, seen, house),
        "programme": seen.programme,
        "most_obstacles": MOST_OBSTACLES,
        "parts": list(parts(desk, seen, house)),
        "present": seen.balance.all,
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "sees_people": _sees(desk),
        "sees_mail": desk.may(Permission.SEE_MAIL),
    }


def _sees(desk: Desk) -> bool:
    return desk.may(Permission.SEE_PEOPLE)


def _people(desk: Desk, category: str, standing: str) -> str:
    asked = urlencode({"category": category, "state": standing})
    return f"{desk.base}/registrations?{asked}" if _sees(desk) else ""
