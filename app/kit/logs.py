"""How the program logs: a line of words or of JSON, each with the request it belongs to and none with personal data.

What is logged is a module's, with ids, route templates and codes; names, addresses and links never are. Of a fault its
kinds and places are told and not its words (`app.kit.faults`): a database puts the row into them that it refused.
"""

import logging
import sys
import threading
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from app.kit import faults

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request at hand; empty outside of one."""


class OfRequest(logging.Filter):
    """Gives each record the id of the request it was written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request = REQUEST.get()
        return True


class Wordless(logging.Filter):
    """Takes the words of faults out of records: asyncio writes the fault itself, or what a function was called with,
    into its message, and another handler may have put a traceback as it is beside them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_text = None
        if record.name == "asyncio" and record.levelno >= logging.WARNING:
            record.msg, record.args = record.getMessage().split("\n", 1)[0].split("(", 1)[0], None
        return True


class Words(logging.Formatter):
    """A line for people: the request's id in brackets where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", "")
        record.within = f" [{request}]" if request else ""
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as logging calls it
        """The fault without its words."""
        return _told(ei)


class Json(JsonFormatter):
    """A line for programs."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as logging calls it
        """The fault without its words."""
        return _told(ei)


def _told(raised: Any) -> str:
    return faults.told(raised[1]) if raised and raised[1] is not None else ""


def watch_what_falls() -> None:
    """What ends the program or one of its threads is logged as every fault is; by itself it would be printed with its
    words."""
    log = logging.getLogger("sala")

    def ended(kind: type[BaseException], fault: BaseException, _raised: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return sys.__excepthook__(kind, fault, None)
        log.critical("the program ended", exc_info=fault)
        return None

    def thread_ended(fallen: threading.ExceptHookArgs) -> None:
        name = fallen.thread.name if fallen.thread else "?"
        log.critical("the thread %s ended", name, exc_info=fallen.exc_value)

    sys.excepthook, threading.excepthook = ended, thread_ended


def described(form: str, level: str) -> dict[str, Any]:
    """The configuration of logging (`logging.config.dictConfig`) for `form` "text" or "json" and a level."""
    words = {"()": Words, "format": "%(asctime)s %(levelname)s %(name)s%(within)s: %(message)s"}
    as_json = {
        "()": Json,
        "fmt": "%(levelname)s %(name)s %(message)s %(request)s",
        "rename_fields": {"levelname": "level", "name": "logger"},
        "timestamp": "at",
        "json_ensure_ascii": False,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": OfRequest}, "wordless": {"()": Wordless}},
        "formatters": {"text": words, "json": as_json},
        "handlers": {
            "out": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": form,
                "filters": ["request", "wordless"],
            }
        },
        "root": {"level": "WARNING", "handlers": ["out"]},
        "loggers": {
            "sala": {"level": level.upper()},
            "uvicorn": {"level": "WARNING" if level == "info" else level.upper(), "propagate": True},
        },
    }
