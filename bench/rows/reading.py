"""Reads over HTTP, each beside a bare ASGI application that moves the same bytes: pages, feeds, files, their 304."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import mean, median

from sqlalchemy import select

from app.kit.db import Db, table
from app.registration.applying import feed_token
from app.registration.models import Application, Seat
from bench import load
from bench.house import LARGE, SECRET, SMALL, Bench, Served, opened
from bench.report import Figure, paired

CLIENTS = 16
SLICES, SECONDS = 15, 0.2
"""Many short ones, forth and back: a machine that others work on too is another one from second to second."""
HEADERS = (("accept-encoding", "br, gzip"),)
PAGES = {
    "home": f"/en/{SMALL}",
    "programme-24": f"/en/{SMALL}/programme",
    "programme-480": f"/en/{LARGE}/programme",
    "session": f"/km/{SMALL}/programme/B1-02",
    "calendar-24": f"/en/{SMALL}/calendar.ics",
    "calendar-480": f"/en/{LARGE}/calendar.ics",
    "track": f"/en/{LARGE}/tracks/traditional-and-non-traditional.ics",
    "json-24": f"/en/{SMALL}/programme.json",
    "json-480": f"/en/{LARGE}/programme.json",
    "csv": f"/en/{LARGE}/programme.csv",
    "xml": f"/en/{LARGE}/programme.xml",
    "booklet": f"/en/{SMALL}/programme.pdf",
}
"""Row → address; each has a row `…-304` too."""
PUBLISHED, UNCHANGED, PERSONAL = 0.75, 0.85, 0.25
"""The ratios to reach."""


def published(bench: Bench, name: str, path: str, target: float | None) -> Iterator[Figure]:
    """A page or file as everybody gets it."""
    yield beside(bench, name, path, [path], *bench.pair(), target)


def personal(bench: Bench, name: str, target: float) -> Iterator[Figure]:
    """The calendars of everybody who holds a seat, asked for in turn: none of them is kept as bytes."""

    def tokens(db: Db) -> list[str]:
        people, seats = table(Application), table(Seat)
        seated = select(people.c.id, people.c.feed_generation).join(seats, seats.c.application_id == people.c.id)
        return [feed_token(SECRET.encode(), row.id, row.feed_generation) for row in db.execute(seated)]

    with opened(bench.shared()) as database:
        paths = [f"/calendars/{token}.ics" for token in database.read(tokens)]
    yield beside(bench, name, f"the calendars of {len(paths)} people", paths, *bench.pair(), target)


def beside(
    bench: Bench, name: str, what: str, paths: Sequence[str], site: Served, bare: Served, target: float | None
) -> Figure:
    """Slices of the site, of the bare application with the very same answer, and of two bytes, in turn."""
    questions = [load.request("GET", path, HEADERS, port=site.port) for path in paths]
    if name.endswith("-304"):
        questions = [_again(site, path) for path in paths]
    first = load.ask(site.port, questions[0])
    if first.status != (304 if name.endswith("-304") else 200):
        raise RuntimeError(f"{what} was answered {first.status}")
    as_it = _put(bare, first, questions[0])
    sides = {
        "site": (site, questions),
        "same": (bare, [as_it]),
        "two": (bare, [load.request("GET", "/", HEADERS, port=bare.port)]),
    }
    rates: dict[str, list[float]] = {side: [] for side in sides}
    costs: dict[str, list[float]] = {side: [] for side in sides}
    faults, slowest = set(), 0.0
    for turn in range(1 if bench.quick else SLICES):
        for side, (served, asked) in [*sides.items()][:: 1 if turn % 2 else -1]:
            before = served.cpu()
            tally = load.run(load.hammer(served.port, asked, CLIENTS, SECONDS))
            rates[side].append(tally.rate)
            costs[side].append((served.cpu() - before) / max(1, tally.done))
            if side == "site":
                slowest = max(slowest, tally.slowest(0.99))
                faults |= {f"Answered {status}." for status in tally.statuses if status != first.status}
    return Figure(
        row=name,
        what=what,
        value=median(rates["site"]),
        unit="a second",
        ratios=paired(rates["site"], rates["same"]),
        limit=median(rates["same"]),
        against="bare, the same bytes",
        target=target,
        more={
            "p99": f"{slowest:.1f} ms",
            "bytes": f"{len(first.body):,}",
            "of two bare bytes": f"{median(paired(rates['site'], rates['two'])):.2f}",
            "by processor time": f"{mean(costs['same']) / max(1e-9, mean(costs['site'])):.2f}",
        },
        faults=tuple(sorted(faults)),
    )


def _again(site: Served, path: str) -> bytes:
    """The question of a reader who has the answer already."""
    tag = load.ask(site.port, load.request("GET", path, HEADERS, port=site.port)).header("etag")
    return load.request("GET", path, [*HEADERS, ("if-none-match", tag)], port=site.port)


def _put(bare: Served, answer: load.Answer, question: bytes) -> bytes:
    """Have the bare application give this very answer at the same address; the same question, put to it."""
    lines = answer.head.split(b"\r\n")[1:]
    kept = [line for line in lines if not line.lower().startswith((b"date:", b"server:", b"connection:"))]
    body = b"\n".join([str(answer.status).encode(), *kept]) + b"\n\n" + answer.body
    load.ask(bare.port, load.request("PUT", question.split(b" ", 2)[1].decode(), body=body, port=bare.port))
    return question


def _rows() -> Iterator[tuple[str, Callable[[Bench], Iterator[Figure]]]]:
    for name, path in PAGES.items():
        yield name, partial(published, name=name, path=path, target=PUBLISHED)
        yield f"{name}-304", partial(published, name=f"{name}-304", path=path, target=UNCHANGED)
    yield "personal", partial(personal, name="personal", target=PERSONAL)
    yield "personal-304", partial(personal, name="personal-304", target=PERSONAL)
    yield "availability", partial(published, name="availability", path=f"/en/{SMALL}/register", target=None)


ROWS = dict(_rows())
