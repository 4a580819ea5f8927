"""What `make audit` makes of an auditor's answers."""

import json
import re

from tests.advisories import ROOT, read


def answer(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_an_advisory_is_named_with_the_version_that_mends_it() -> None:
    found = read(
        answer(
            {"name": "good", "version": "1", "vulns": []},
            {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]},
            {"name": "worse", "version": "2", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
        )
    )
    assert found is not None
    assert found.known == 3
    assert found.advisories == ("bad 2: PYSEC-1 (mended in 3)", "worse 2: PYSEC-2 (mended in no version)")


def test_a_source_that_knows_no_package_has_not_said_that_all_is_well() -> None:
    found = read(answer({"name": "good", "version": "1", "skip_reason": "not found"}))
    assert found is not None
    assert (found.known, found.unknown, found.advisories) == (0, 1, ())


def test_a_source_that_does_not_answer_is_told_apart() -> None:
    assert read("") is None
    assert read("Traceback (most recent call last):") is None
    assert read("[]") is None


def test_the_page_about_security_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|docs)/[\w./-]+)`", page))
    assert len(named) > 40
    assert {each for each in named if not (ROOT / each).exists()} == set()
    chapters = re.findall(r"^\| V(\d+) ", page, re.MULTILINE)
    assert chapters == [str(number) for number in range(1, 18)]
