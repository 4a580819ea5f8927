"""`make audit`: holds every pinned version against published advisories, and says so where no source of them answers.

Not among the tests: what it finds depends on the day and on the network, and neither is the code's fault.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
AUDITOR = "pip-audit==2.10.1"
SOURCES = ("pypi", "osv")
NOTHING, KNOWN, NO_SOURCE = 0, 1, 2
"""Exit codes: nothing known, something known, nobody to ask."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What a source said: how many packages it knows, the advisories there are, how many packages it does not know."""

    known: int
    advisories: tuple[str, ...]
    unknown: int


def read(answer: str) -> Audited | None:
    """What an auditor's JSON says; None where it is none, because its source did not answer."""
    try:
        packages: Sequence[Any] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    asked = [each for each in packages if "skip_reason" not in each]
    advisories = tuple(told(each, found) for each in asked for found in each["vulns"])
    return Audited(len(asked), advisories, len(packages) - len(asked))


def told(package: Any, advisory: Any) -> str:
    """One advisory in a line."""
    mended = ", ".join(advisory["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {advisory['id']} (mended in {mended})"


def ask(source: str) -> str:
    """The auditor's answer for one source."""
    program = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--quiet", AUDITOR]
    words = ["--disable-pip", "--require-hashes", "--requirement", str(ROOT / "requirements.lock")]
    words += ["--vulnerability-service", source, "--format", "json", "--progress-spinner", "off"]
    return subprocess.run([*program, *words], capture_output=True, text=True, check=False, timeout=600).stdout


def main() -> int:
    """Ask the sources in turn; the exit code."""
    for source in SOURCES:
        found = read(ask(source))
        if found is None or not found.known:
            print(f"{source}: no answer about any package.")
            continue
        print("\n".join(found.advisories) or "No advisory is known.")
        print(f"{source}: {found.known} packages asked about, {found.unknown} not known there.")
        return KNOWN if found.advisories else NOTHING
    print("No source of advisories answered: nothing is known about these versions, good or bad.")
    return NO_SOURCE


if __name__ == "__main__":
    sys.exit(main())
