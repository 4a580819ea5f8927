"""The process itself: how fast the load generator is, how soon a start answers, how much memory it keeps."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from bench import load, machine
from bench.house import ROOT, SMALL, Bench, environment_of, first_answer, free_port
from bench.report import Figure

CLIENTS = 16
SECONDS_TO_FIRST = 2.0
MEMORY, REQUESTS, GROWTH = 160, 200_000, 1.05
STARTS = 3


def generator(bench: Bench) -> Iterator[Figure]:
    """Two bare bytes: how busy server and generator are says which of them is the limit."""
    _, bare = bench.pair()
    question = [load.request("GET", "/", port=bare.port)]
    load.run(load.hammer(bare.port, question, CLIENTS, bench.seconds))
    mine, theirs = machine.own_cpu_seconds(), bare.cpu()
    tally = load.run(load.hammer(bare.port, question, CLIENTS, bench.seconds * 4))
    mine, theirs = machine.own_cpu_seconds() - mine, bare.cpu() - theirs
    more = {
        "processor time of the server": f"{theirs / tally.done * 1e6:.0f} µs an answer",
        "of the generator": f"{mine / tally.done * 1e6:.0f} µs",
    }
    yield Figure(
        row="generator",
        what="the bare application with two bytes",
        value=tally.rate,
        unit="a second",
        ratios=(theirs / mine,),
        limit=1e6 / (mine / tally.done * 1e6),
        against="what the generator could do on a core of its own",
        target=1.0,
        more=more,
    )


def start(bench: Bench) -> Iterator[Figure]:
    """`sala run` on a database that is there: from the command to the first page."""
    environment, times, spent = bench.copy(), [], 0.0
    for _ in range(1 if bench.quick else STARTS + 1):
        port = free_port()
        command, began = [sys.executable, "-m", "app", "run", "--port", str(port)], time.perf_counter()
        with bench.log.open("a") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=ROOT, env=environment_of(environment), stdout=log, stderr=log
            )
        try:
            answer = first_answer(port, f"/en/{SMALL}", process)
            times.append(time.perf_counter() - began)
            spent = machine.cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait(20)
        if answer.status != 200:
            raise RuntimeError(f"the first answer was {answer.status}")
    warm = times[1:] or times
    more = {"processor time": f"{spent:.1f} s"}
    yield Figure(
        "start", "to the first page, warm", median(warm), "s", target=SECONDS_TO_FIRST, at_most=True, more=more
    )


def memory(bench: Bench) -> Iterator[Figure]:
    """The site with its jobs in one process: resident memory at rest, and after 200,000 answers of many kinds."""
    environment = bench.copy()
    tails = ("", "/programme", "/programme/B1-01", "/calendar.ics", "/programme.json", "/register", "/speakers")
    with bench.site(workers="inline", **environment) as site:
        kept = [
            load.request("GET", f"/{lang}/{SMALL}{tail}", port=site.port) for lang in ("en", "km") for tail in tails
        ]
        time.sleep(0 if bench.quick else 3)
        idle = machine.resident_mib(site.process)
        quick = [question for question in kept if b"/register " not in question]
        load.run(load.hammer(site.port, kept, CLIENTS, 60, most=len(kept) * 10))
        warm = machine.resident_mib(site.process)
        wanted = 500 if bench.quick else REQUESTS
        load.run(load.hammer(site.port, quick, CLIENTS, 120, most=wanted))
        after = machine.resident_mib(site.process)
    yield Figure("memory", "resident, at rest", idle, "MiB", target=MEMORY, at_most=True)
    yield Figure(
        row="memory-flat",
        what=f"resident after {wanted:,} answers",
        value=after,
        unit="MiB",
        ratios=(after / warm,),
        limit=warm,
        against="after the first few of each page",
        target=GROWTH,
        at_most=True,
    )


ROWS = {"generator": generator, "start": start, "memory": memory}
