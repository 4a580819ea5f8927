"""What duties and reactions work with."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from app.kit.db import Database
from app.kit.pen import Pen
from app.kit.settings import Settings


@dataclass(frozen=True, slots=True)
class Crew:
    """What duties work with; `ending` is set when they are to come to an end."""

    settings: Settings
    database: Database
    pen: Pen
    ending: threading.Event = field(default_factory=threading.Event)
    ended: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    """When each duty last came to its end, and how often it is to run, in seconds (`app.kit.heart`)."""
