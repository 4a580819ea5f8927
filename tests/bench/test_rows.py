"""The rows of the benchmark: told in the docs, their editions good, and one of them run for a moment."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from app.editions.reading import read_forum_file
from app.web.fonts import build
from bench import load
from bench.__main__ import main
from bench.edition import edition, write_edition
from bench.house import SMALL, Bench, opened
from bench.rows import ROWS
from bench.rows.registering import lost
from tests.breadth import SOAK
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_the_docs_name_every_row_and_no_other():
    told = re.findall(r"^\| `([\w-]+)`", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(ROWS)


def test_a_reason_is_given_for_a_figure_that_there_is():
    reasons = tomllib.loads((ROOT / "bench" / "reasons.toml").read_text(encoding="utf-8"))
    figures = {*ROWS, *(f"{name}-rate" for name in ROWS), *(f"{name}-p99" for name in ROWS), "memory-flat"}
    figures |= {f"programme-{step}" for step in ("edited", "published", "exported", "loaded")}
    assert reasons.keys() <= figures


@pytest.mark.parametrize(("sessions", "hall"), [(24, None), (30, 500)])
def test_an_edition_of_any_size_is_one_that_loads(tmp_path: Path, sessions: int, hall: int | None):
    write_edition(tmp_path / "forum.yaml", "bench", sessions=sessions, hall=hall)
    read = read_forum_file((tmp_path / "forum.yaml").read_bytes())
    assert len(read.sessions) == sessions
    assert read.registration.capacity == (hall or 300)
    assert len({session.start for session in read.sessions}) == sessions


def test_the_sessions_of_an_edition_are_no_copies_of_each_other():
    texts = [yaml.safe_dump(session["abstract"]) for session in edition("bench", 60)["sessions"]]
    assert len(set(texts)) == 60


def test_an_unknown_row_is_said_with_those_there_are(capsys: pytest.CaptureFixture[str]):
    assert main(["nothing"]) == 1
    assert "home" in capsys.readouterr().out


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A run that is over in a moment, on two editions without people: it measures nothing worth knowing."""
    folder = tmp_path_factory.mktemp("bench")
    build(ROOT / "var" / "assets")
    made = Bench(folder, folder / "log", ROOT / "var", quick=True)
    yield made
    made.close()


@pytest.mark.skipif(not SOAK, reason="fills a database and starts three processes: SALA_SOAK=3")
def test_a_page_is_measured_beside_its_limit(bench: Bench):
    (home,) = ROWS["home"](bench)
    assert not home.faults, home.faults
    assert home.value > 0
    assert home.ratio is not None
    assert home.more["bytes"] != "0"


@pytest.mark.skipif(not SOAK, reason="fills a database and starts a site by commands: SALA_SOAK=3")
def test_registrations_are_counted_afterwards_and_a_lost_one_shows(bench: Bench):
    (full,) = ROWS["registration-full"](bench)
    assert not full.faults, full.faults
    assert full.more["seats"].startswith("30 of ")
    environment = bench.copy()
    with opened(environment) as database:
        tally = load.Tally(statuses=load.Counter({200: 1}))
        assert any("there are 0 people" in fault for fault in lost(database, SMALL, tally))
