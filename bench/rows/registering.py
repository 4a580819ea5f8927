"""Registrations end to end over HTTP, and cancellations that promote, beside a FastAPI form that writes nothing."""

import asyncio
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from statistics import median
from typing import Any

from sqlalchemy import func, select

from app.audit.models import Fact
from app.forum.queries import forum_by_slug, forum_id
from app.kit.db import Database, Db, table
from app.mail.models import Message
from app.registration.applying import manage_token
from app.registration.models import Application, Seat
from bench import load
from bench.bare import postgres_transactions, sqlite_transactions
from bench.edition import OPEN
from bench.house import FULL, FULL_PLACES, HALL, SECRET, Bench, Served, opened
from bench.report import Figure, paired

CLIENTS = (1, 10, 50, 200)
AT = 50
"""The clients at which the targets hold."""
RATIO, RATE, P99 = 0.15, 400, 500
WAITING = 100
_TOKEN = re.compile(rb'name="form" value="([^"]+)"')


def end_to_end(bench: Bench, name: str, clients: int) -> Iterator[Figure]:
    """The form is opened and sent, by people of whom none comes twice, each from a network address of their own."""
    environment, people = bench.copy(), count(1)
    rates: dict[str, list[float]] = {"site": [], "limit": []}
    whole = load.Tally()
    with bench.site(**environment) as site, bench.bare("form") as form:
        spent = site.cpu()
        for _ in range(_pairs(bench)):
            tally = load.run(load.walks(site.port, registers(HALL), people, clients, _seconds(bench)))
            _add(whole, tally)
            rates["site"].append(tally.rate)
            rates["limit"].append(load.run(load.walks(form.port, sends_nothing, count(), clients, bench.seconds)).rate)
        spent = site.cpu() - spent
    with opened(environment) as database:
        faults = lost(database, HALL, whole)
    yield Figure(
        row=name,
        what=f"form and sending, {clients} at a time, SQLite",
        value=median(rates["site"]),
        unit="a second",
        ratios=paired(rates["site"], rates["limit"]),
        limit=median(rates["limit"]),
        against="FastAPI form opened and sent, nothing written",
        more={**_times(whole), "processor time": _spent(spent, whole)},
        faults=faults,
    )


def sending(bench: Bench, name: str) -> Iterator[Figure]:
    """The POST alone on SQLite."""
    environment = bench.copy()
    limit = sqlite_transactions(bench.new_folder("bare") / "bare.sqlite", bench.seconds)
    yield from _sending(bench, name, environment, {"of bare sqlite3 transactions": limit}, "SQLite")


def sending_to_postgres(bench: Bench, name: str) -> Iterator[Figure]:
    """The same on PostgreSQL."""
    with bench.postgres() as url:
        if url is None:
            return
        environment = {"DATABASE_URL": url, "SALA_VAR": str(bench.var)}
        bench.fill(environment, (HALL,))
        limit = postgres_transactions(url, bench.seconds)
        yield from _sending(bench, name, environment, {"of bare psycopg transactions": limit}, "PostgreSQL")


def _sending(
    bench: Bench, name: str, environment: dict[str, str], bare: dict[str, float], where: str
) -> Iterator[Figure]:
    people = count(1)
    rates: dict[str, list[float]] = {"site": [], "limit": []}
    whole, spent, idle = load.Tally(), 0.0, 0.0
    with bench.site(**environment) as site, bench.bare("form") as form:
        for _ in range(_pairs(bench)):
            wanted = 20 if bench.quick else 300
            forms = load.run(open_forms(site, f"/en/{HALL}/register/{OPEN.lower()}", wanted))
            send = partial(_send_form, forms=iter(forms), slug=HALL)
            before = site.cpu()
            tally = load.run(load.walks(site.port, send, (next(people) for _ in range(wanted)), AT, 60))
            spent += site.cpu() - before
            _add(whole, tally)
            rates["site"].append(tally.rate)
            before = form.cpu()
            nothing = load.run(load.walks(form.port, posts_nothing, count(), AT, bench.seconds))
            idle += (form.cpu() - before) / nothing.done / _pairs(bench)
            rates["limit"].append(nothing.rate)
    with opened(environment) as database:
        faults = lost(database, HALL, whole)
    rate = median(rates["site"])
    shares = {words: f"{rate / limit:.2f}" for words, limit in bare.items()}
    shares["by processor time"] = f"{idle / max(1e-9, spent / whole.done):.2f}"
    shares["processor time"] = _spent(spent, whole)
    yield Figure(
        row=name,
        what=f"the sending alone, {AT} at a time, {where}",
        value=rate,
        unit="a second",
        ratios=paired(rates["site"], rates["limit"]),
        limit=median(rates["limit"]),
        against="FastAPI form sent, nothing written",
        target=RATIO,
        more={**_times(whole), **shares},
        faults=faults,
    )
    yield Figure(f"{name}-rate", f"the same in a second, {where}", rate, "a second", target=RATE, more={})
    yield Figure(
        f"{name}-p99", f"the slowest of a hundred, {where}", whole.slowest(0.99), "ms", target=P99, at_most=True
    )


def full(bench: Bench, name: str) -> Iterator[Figure]:
    """More people than places: exactly so many are seated, all the others wait."""
    environment = bench.copy()
    with bench.site(**environment) as site:
        tally = load.run(load.walks(site.port, registers(FULL), iter(range(_comers(bench))), AT, 60))
    with opened(environment) as database:
        faults = lost(database, FULL, tally)
        seats = database.read(lambda db: _counted(db, FULL)["seats"])
    if not bench.quick and seats != FULL_PLACES:
        faults = (*faults, f"{seats} seats were given of {FULL_PLACES}.")
    more = {**_times(tally), "seats": f"{seats} of {FULL_PLACES}"}
    yield Figure(
        name, f"{_comers(bench)} people for {FULL_PLACES} places", tally.rate, "a second", more=more, faults=faults
    )


def cancelling(bench: Bench, name: str) -> Iterator[Figure]:
    """People who hold a seat give it up on their own page; each time the next in line gets it in the same commit."""
    environment = bench.copy()
    with bench.site(**environment) as site, bench.bare("form") as form:
        load.run(load.walks(site.port, registers(FULL), iter(range(_comers(bench))), AT, 60))
        with opened(environment) as database:
            before = database.read(lambda db: _counted(db, FULL))
            paths = database.read(_own_pages)[: 10 if bench.quick else WAITING // 2]
        forms = load.run(_own_forms(site, paths))
        cancel = partial(_cancel, forms=iter(forms))
        tally = load.run(load.walks(site.port, cancel, iter(range(len(forms))), 10, 60))
        limit = load.run(load.walks(form.port, posts_nothing, count(), 10, bench.seconds)).rate
    with opened(environment) as database:
        after = database.read(lambda db: _counted(db, FULL))
    faults = _bad(tally, 303)
    if not bench.quick and after["seats"] != before["seats"]:
        faults.append(f"{before['seats']} seats were taken before, {after['seats']} afterwards.")
    yield Figure(
        row=name,
        what=f"{len(forms)} cancel, 10 at a time, {WAITING} wait",
        value=tally.rate,
        unit="a second",
        ratios=(tally.rate / limit,),
        limit=limit,
        against="FastAPI form sent, nothing written",
        more={**_times(tally), "seats before and after": f"{before['seats']}, {after['seats']}"},
        faults=tuple(faults),
    )


# ---- what people do


def registers(slug: str) -> load.Walk:
    """Open the form of the open group and send it."""
    path = f"/en/{slug}/register/{OPEN.lower()}"

    async def walk(visitor: load.Visitor, person: int) -> int:
        page = await visitor.ask("GET", path)
        if page.status != 200:
            return page.status
        return (await visitor.ask("POST", path, _filled_in(person, token_in(page)))).status

    return walk


async def _send_form(visitor: load.Visitor, person: int, forms: Iterator[str], slug: str) -> int:
    path = f"/en/{slug}/register/{OPEN.lower()}"
    return (await visitor.ask("POST", path, _filled_in(person, next(forms)))).status


async def sends_nothing(visitor: load.Visitor, person: int) -> int:
    """Open and send the form that writes nothing."""
    await visitor.ask("GET", "/form")
    return await posts_nothing(visitor, person)


async def posts_nothing(visitor: load.Visitor, person: int) -> int:
    """Send the form that writes nothing, with the same fields."""
    return (await visitor.ask("POST", "/form", _filled_in(person, "x" * 120))).status


async def _cancel(visitor: load.Visitor, _: int, forms: Iterator[tuple[str, str]]) -> int:
    path, token = next(forms)
    return (await visitor.ask("POST", path, {"form": token})).status


async def open_forms(site: Served, path: str, wanted: int) -> list[str]:
    """Open the form so often; the tokens."""
    found: list[str] = []
    asked = count()

    async def opening() -> None:
        visitor = load.Visitor(site.port)
        while next(asked) < wanted:
            found.append(token_in(await visitor.ask("GET", path)))
        visitor.leave()

    await asyncio.gather(*(opening() for _ in range(10)))
    return found


async def _own_forms(site: Served, paths: list[str]) -> list[tuple[str, str]]:
    visitor = load.Visitor(site.port)
    forms = [(path, token_in(await visitor.ask("GET", path))) for path in paths]
    visitor.leave()
    return forms


def token_in(page: load.Answer) -> str:
    """The token of the form on a page. Raises ValueError where there is none."""
    found = _TOKEN.search(page.body)
    if found is None:
        raise ValueError(f"a page without a form: {page.status}")
    return found[1].decode()


def _filled_in(person: int, token: str) -> dict[str, str]:
    return {
        "form": token,
        "for_whom": "self",
        "email": f"person.{person}@bench.example",
        "family_name": "Example",
        "given_name": f"Number {person}",
        "attends_as": "official",
        "institution": "An institution of the benchmark",
        "country": "KH",
        "questions": "1",
        "q-organization": "private",
        "consent": "yes",
    }


# ---- what came of it


def lost(database: Database, slug: str, tally: load.Tally) -> tuple[str, ...]:
    """What is wrong with a load of registrations: other answers than 200, people, facts or mails missing, a seat too
    many."""
    faults = _bad(tally, 200)
    found = database.read(lambda db: _counted(db, slug))
    for what in ("people", "facts", "mails"):
        if found[what] != tally.statuses[200]:
            faults.append(f"{tally.statuses[200]} were told yes, there are {found[what]} {what}.")
    if found["seats"] != found["seated"]:
        faults.append(f"{found['seats']} seats for {found['seated']} who are seated.")
    return tuple(faults)


def _bad(tally: load.Tally, good: int) -> list[str]:
    return [f"{n} were answered {status}." for status, n in tally.statuses.items() if status != good]


def _counted(db: Db, slug: str) -> dict[str, int]:
    own, people, seats = forum_id(forum_by_slug(db, slug)), table(Application).c, table(Seat).c
    facts, mails = table(Fact).c, table(Message).c

    def number(*what: Any) -> int:
        return int(db.execute(select(func.count()).where(*what)).scalar_one())

    return {
        "people": number(people.forum_id == own),
        "seated": number(people.forum_id == own, people.state == "seated"),
        "seats": number(seats.forum_id == own),
        "facts": number(facts.scope == slug, facts.kind == "registration.submitted"),
        "mails": number(mails.forum == slug),
    }


def _own_pages(db: Db) -> list[str]:
    """Where those who hold a seat give it up."""
    people = table(Application).c
    mine = people.forum_id == forum_id(forum_by_slug(db, FULL))
    rows = db.execute(select(people.id, people.manage_generation).where(mine, people.state == "seated"))
    tokens = [manage_token(SECRET.encode(), row.id, row.manage_generation) for row in rows]
    return [f"/en/my/{token}/cancellation" for token in tokens]


def _comers(bench: Bench) -> int:
    return 30 if bench.quick else FULL_PLACES + WAITING


def _pairs(bench: Bench) -> int:
    return 1 if bench.quick else 3


def _seconds(bench: Bench) -> float:
    """A slice of registrations is longer: at 200 clients one round takes its time."""
    return 0.2 if bench.quick else 2.0


def _add(whole: load.Tally, part: load.Tally) -> None:
    whole.seconds += part.seconds
    whole.statuses += part.statuses
    whole.times += part.times


def _spent(seconds: float, tally: load.Tally) -> str:
    """The processor time of one, and how many a core to itself would do in a second: where others work on the machine,
    that is steadier than the rate."""
    each = max(1e-9, seconds / max(1, tally.done))
    return f"{each * 1000:.1f} ms, so {1 / each:.0f} a second of a core"


def _times(tally: load.Tally) -> dict[str, str]:
    return {"p50": f"{tally.slowest(0.5):.0f} ms", "p99": f"{tally.slowest(0.99):.0f} ms"}


def _rows() -> Iterator[tuple[str, Callable[[Bench], Iterator[Figure]]]]:
    for clients in CLIENTS:
        name = f"registration-{clients}"
        yield name, partial(end_to_end, name=name, clients=clients)
    yield "registration-sent", partial(sending, name="registration-sent")
    yield "registration-sent-postgres", partial(sending_to_postgres, name="registration-sent-postgres")
    yield "registration-full", partial(full, name="registration-full")
    yield "cancel", partial(cancelling, name="cancel")


ROWS = dict(_rows())
