"""A small hall inside the real forum, and what stands in it: shared by the tests of the deeds about seats."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.accounts.actor import Actor
from app.audit.models import Fact
from app.editions.form import ForumFile
from app.forum.models import Forum
from app.kit.db import Db, table
from app.mail.models import Message
from app.registration.applying import application_of, apply
from app.registration.arranging import put_terms
from app.registration.inputs import CategoryInput, TermsInput
from app.registration.models import Seat
from app.registration.seating import start_hours
from tests.cast import NOW, SECRET, SLUG, small_terms, somebody, the_forum

_facts, _messages, _seats = table(Fact), table(Message), table(Seat)


class SmallHall:
    """Two seats: STU is open, ORG open for one, DIP moderated and held meanwhile, PTY moderated, THK invited."""

    def __init__(self, db: Db, file: ForumFile, *, stands: bool = False) -> None:
        """In a database in which it `stands` nothing is written."""
        self.db = db
        self.forum: Forum = the_forum(db)
        self.count = 0
        terms, categories = small_terms(
            file,
            2,
            STU=(0, None, "open"),
            ORG=(0, 1, "open"),
            DIP=(0, None, "moderated"),
            PTY=(0, None, "moderated"),
            THK=(0, None, "invitation"),
        )
        categories[2] = categories[2].model_copy(update={"hold_while_reviewing": True})
        self.terms = terms.model_copy(
            update={"opens_at": NOW - timedelta(days=1), "closes_at": NOW + timedelta(days=60)}
        )
        self.categories = categories
        if not stands:
            self.arrange()

    def arrange(self, capacity: int | None = None, categories: list[CategoryInput] | None = None, **terms: Any) -> bool:
        """Bring the hall to other numbers."""
        wanted: TermsInput = self.terms.model_copy(
            update={**terms, **({} if capacity is None else {"capacity": capacity})}
        )
        now = terms.pop("now", NOW)
        return put_terms(self.db, Actor.operator(), self.forum, wanted, categories or self.categories, now=now)

    def ask(self, category: str = "STU", *, now: Any = NOW, by: Actor | None = None, **changes: Any) -> Any:
        """Somebody new applies; the application's row."""
        self.count += 1
        sent, key = somebody(self.count, category, **changes), f"key{self.count}"
        asked = apply(self.db, by or Actor.visitor(), self.forum, sent, key, SECRET, now=now)
        return self.row(asked.code)

    def row(self, code: str) -> Any:
        return application_of(self.db, self.forum, code)

    def state(self, row: Any) -> str:
        state: str = self.row(row.code).state
        return state

    def seat(self, row: Any) -> Any:
        """The person's seat, or None."""
        return self.db.execute(select(_seats).where(_seats.c.application_id == row.id)).one_or_none()

    def mails(self, row: Any) -> list[str]:
        """The templates of the messages about a registration that have not been withheld."""
        about = (_messages.c.subject == f"registration:{row.code}") & (_messages.c.state != "withheld")
        found = self.db.execute(select(_messages.c.template).where(about).order_by(_messages.c.id))
        return [template.removeprefix("registration/") for template in found.scalars()]

    def facts(self, row: Any) -> list[str]:
        """What was recorded about a registration, in order."""
        about = (_facts.c.scope == SLUG) & (_facts.c.subject == f"registration:{row.code}")
        return list(self.db.execute(select(_facts.c.kind).where(about).order_by(_facts.c.number)).scalars())

    def mail_leaves(self, row: Any, *, at: Any = NOW) -> None:
        """The worker has handed over every message about a registration."""
        for template in self.mails(row):
            start_hours(self.db, self.forum, row.code, f"registration/{template}", sent_at=at)
