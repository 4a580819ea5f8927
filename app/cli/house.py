"""What every command needs: the settings, the database, a pen, and refusals said plainly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from app.kit import settings as kit_settings
from app.kit.db import Database
from app.kit.errors import Answer
from app.kit.i18n import has_text, text_of
from app.kit.pen import Pen
from app.kit.settings import BadSettings, Settings
from app.kit.trouble import lacks_schema


@dataclass(frozen=True, slots=True)
class House:
    """The settings, the database and a pen that writes in the caller's thread."""

    settings: Settings
    database: Database
    pen: Pen


@contextmanager
def opened() -> Iterator[House]:
    """The house of this environment, closed again afterwards."""
    settings = kit_settings.read()
    database = Database(settings.database_url, read_url=settings.database_read_url, pooled=settings.database_pooled)
    try:
        yield House(settings, database, Pen(database))
    finally:
        database.close()


@contextmanager
def said_plainly() -> Iterator[None]:
    """Refusals, bad settings and a database not migrated become one sentence on standard error and exit code 1."""
    try:
        yield
    except BadSettings as bad:
        sys.exit(f"sala: {bad}")
    except DBAPIError as failure:
        if not lacks_schema(failure):
            raise
        sys.exit(f"sala: {text_of('en', 'refused.schema_missing')}")
    except Answer as answer:
        key = f"refused.{answer.code}"
        text = text_of("en", key, **answer.values) if has_text("en", key) else answer.code or type(answer).__name__
        parts = [
            fault for fault in answer.faults if fault.code != answer.code and has_text("en", f"refused.{fault.code}")
        ]
        sys.exit(" ".join(["sala:", text, *(text_of("en", f"refused.{part.code}", **part.values) for part in parts)]))
