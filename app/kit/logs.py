"""How the program logs: a line of words or of JSON, each with the request it belongs to and none with personal data.

What is logged is a module's, with ids, route templates and codes; names, addresses and links never are.
"""

import logging
from contextvars import ContextVar
from typing import Any

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request at hand; empty outside of one."""


class OfRequest(logging.Filter):
    """Gives each record the id of the request it was written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request = REQUEST.get()
        return True


class Words(logging.Formatter):
    """A line for people: the request's id in brackets where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", "")
        record.within = f" [{request}]" if request else ""
        return super().format(record)


def described(form: str, level: str) -> dict[str, Any]:
    """The configuration of logging (`logging.config.dictConfig`) for `form` "text" or "json" and a level."""
    words = {"()": Words, "format": "%(asctime)s %(levelname)s %(name)s%(within)s: %(message)s"}
    as_json = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": "%(levelname)s %(name)s %(message)s %(request)s",
        "rename_fields": {"levelname": "level", "name": "logger"},
        "timestamp": "at",
        "json_ensure_ascii": False,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request": {"()": OfRequest}},
        "formatters": {"text": words, "json": as_json},
        "handlers": {
            "out": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": form,
                "filters": ["request"],
            }
        },
        "root": {"level": "WARNING", "handlers": ["out"]},
        "loggers": {
            "sala": {"level": level.upper()},
            "uvicorn": {"level": "WARNING" if level == "info" else level.upper()},
        },
    }
