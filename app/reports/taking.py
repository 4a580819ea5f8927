"""That a list of the desk left as a file is a fact: which, with which columns, and how many lines."""

from collections.abc import Collection, Sequence
from datetime import datetime

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import record
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db


def note_taken(
    db: Db,
    by: Actor,
    forum: Forum,
    name: str,
    columns: Sequence[str],
    kind: str,
    entries: int,
    *,
    needs: Collection[Permission],
    now: datetime,
) -> None:
    """Record that the list of this name was taken as a file of this kind. Raises Forbidden without all of `needs`."""
    for need in needs:
        by.must(need, forum_id(forum))
    after = {"of": name, "columns": list(columns), "kind": kind, "entries": entries}
    record(db, forum.slug, by.signature, "list.exported", f"forum:{forum.slug}", now=now, after=after)
