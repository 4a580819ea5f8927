"""What was measured on: said in words beside every table, without the machine's name or where anything lies on it."""

import os
import platform
import sqlite3
import sys
import time
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "sqlmodel", "sqlalchemy", "psycopg", "jinja2")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def description() -> dict[str, str]:
    """Processor, memory, system, interpreter and the packages that matter, and how busy the machine was."""
    model, system = _line("/proc/cpuinfo", "model name"), _line("/etc/os-release", "PRETTY_NAME")
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {model or platform.machine()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * _PAGE / 2**30:.1f} GiB",
        "system": f"{system or platform.system()}, kernel {platform.release().split('-')[0]}",
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
        "sqlite": sqlite3.sqlite_version,
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "load before the run": f"{os.getloadavg()[0]:.1f}",
    }


def _line(path: str, name: str) -> str:
    """The value of the first line of a file that begins with this name, or ""."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.replace("=", ":", 1).partition(":")
        if key.strip() == name:
            return value.strip().strip('"')
    return ""


def cpu_seconds(process: int) -> float:
    """The processor time a process has taken so far, its threads' too."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def own_cpu_seconds() -> float:
    """The same for this process."""
    return time.process_time()


def resident_mib(process: int) -> float:
    """The resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / 2**20
