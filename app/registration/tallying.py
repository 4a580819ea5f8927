"""How the registrations of a forum stand, counted once for all who look until something happens in the forum."""

from dataclasses import dataclass, field
from threading import Lock

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.audit.recording import head_of
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.registration.desk_queries import Tally, tallies


@dataclass(slots=True)
class Counted:
    """The tallies of the forums looked at lately, at most `most`.

    Nothing in them changes without a fact in the forum's chain (rules §6), and the hash of its last one is no other
    chain's. It is asked on the reader's own view, so what is given is what counting there would give.
    """

    most: int = 100
    _kept: dict[int, tuple[tuple[int, str], tuple[Tally, ...]]] = field(default_factory=dict)
    _changing: Lock = field(default_factory=Lock)

    def of(self, db: Db, by: Actor, forum: Forum) -> tuple[Tally, ...]:
        """As `desk_queries.tallies`: one query where nothing has happened since they were counted, else two."""
        own = forum_id(forum)
        by.must(Permission.SEE_DESK, own)
        head, kept = head_of(db, forum.slug), self._kept.get(own)
        if head is not None and kept is not None and kept[0] == head:
            return kept[1]
        found = tallies(db, by, forum)
        if head is not None:
            with self._changing:
                self._kept.pop(own, None)
                self._kept[own] = head, found
                while len(self._kept) > self.most:
                    del self._kept[next(iter(self._kept))]
        return found
