"""The desk's list of registrations and its overview at 300 and at 100,000 people: what a page costs must not grow with
the list."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench import load
from bench.house import SMALL, Bench, Served
from bench.report import Figure, paired
from bench.rows.registering import token_in

MANY = 100_000
TIMES = 2.0
"""How much longer than with 300 a page with 100,000 may take."""
ROUNDS, ASKED = 5, 12
LISTS = {
    "desk-list": ("/registrations", TIMES),
    "desk-list-waiting": ("/registrations?state=waiting", TIMES),
    "desk-list-by-name": ("/registrations?order=name_km", TIMES),
    "desk-search": ("/registrations?q=Sokha", None),
    "desk-overview": ("", TIMES),
}


def lists(bench: Bench, name: str, tail: str, target: float | None) -> Iterator[Figure]:
    """One organiser, one page after the other, in turn from both sites."""
    few, many = bench.shared(), bench.hundred_thousand(fill)
    path = f"/desk/{SMALL}{tail}"
    with bench.site(**few) as small, bench.site(**many) as large:
        asked = [
            (served, request_signed_in(bench, served, setting, path))
            for served, setting in ((small, few), (large, many))
        ]
        times: list[list[float]] = [[], []]
        for _ in range(1 if bench.quick else ROUNDS):
            for place, (served, request) in enumerate(asked):
                tally = load.run(load.hammer(served.port, [request], 1, 60, most=3 if bench.quick else ASKED))
                times[place].append(tally.slowest(0.5))
                if set(tally.statuses) != {200}:
                    raise RuntimeError(f"the desk answered {dict(tally.statuses)}")
    yield Figure(
        row=name,
        what=f"{path} with {MANY:,} people",
        value=median(times[1]),
        unit="ms",
        ratios=paired(times[1], times[0]),
        limit=median(times[0]),
        against="the same with 300",
        target=target,
        at_most=True,
    )


def request_signed_in(bench: Bench, site: Served, environment: dict[str, str], path: str) -> bytes:
    """The question of an owner who has signed in by the link that the command line prints."""
    link = bench.sala("owner", **environment).strip().rpartition("/login/")[2]

    async def sign_in() -> str:
        visitor = load.Visitor(site.port)
        page = await visitor.ask("GET", f"/login/{link}")
        await visitor.ask("POST", f"/login/{link}", {"form": token_in(page)})
        visitor.leave()
        return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())

    return load.request("GET", path, [("cookie", load.run(sign_in()))], port=site.port)


def fill(path: Path, wanted: int) -> None:
    """Bring the small edition of an SQLite file to so many registrations, as copies of the people in it who wait or
    whose registration has ended: rows straight into the table, because only reading is measured with them."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    mine = "forum_id = (SELECT id FROM forum_forum WHERE slug = ?)"
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM registration_application WHERE {mine}", (SMALL,))]  # noqa: S608
    states = ("waiting", "cancelled", "declined", "expired")
    columns = [name for name in rows[0] if name != "id"]
    marks = ", ".join("?" for _ in columns)

    def copies() -> Iterator[tuple[object, ...]]:
        for number in range(wanted - len(rows)):
            mark = f"{secrets.token_hex(8)}-{number}"
            state = states[number % len(states)]
            copy = {**rows[number % len(rows)], "state": state, "request_key": mark, "live_key": None}
            copy |= {
                "code": f"X{number:07}",
                "manage_digest": mark,
                "feed_digest": mark,
                "email": f"{mark}@demo.example",
            }
            copy |= {"accompanies_id": None, "merged_into_id": None, "invitation_id": None, "delegation_id": None}
            yield tuple(copy[name] for name in columns)

    with connection:
        names = ", ".join(columns)
        connection.executemany(f"INSERT INTO registration_application ({names}) VALUES ({marks})", copies())  # noqa: S608
    connection.close()


def _rows() -> Iterator[tuple[str, Callable[[Bench], Iterator[Figure]]]]:
    for name, (tail, target) in LISTS.items():
        yield name, partial(lists, name=name, tail=tail, target=target)


ROWS = dict(_rows())
