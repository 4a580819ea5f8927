"""Programs before the API: each has a token of somebody at the desk, and asks as a program does."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.accounts.rules import Permission, Role
from app.editions.form import ForumFile
from app.forum.access import actor_of
from app.forum.queries import forum_id
from app.forum.tokens import TokenInput, make_token
from app.kit.db import Db
from tests.cast import NOW, SLUG, Figure, make_user, the_forum
from tests.doors import Doors, open_doors

BASE = f"/api/v1/forums/{SLUG}"
_keys = itertools.count(1)


@dataclass(slots=True)
class Programs:
    """A site and the tokens of its programs, by name."""

    doors: Doors
    tokens: dict[str, str] = field(default_factory=dict)

    def enrol(self, name: str, *roles: Role, scope: tuple[Permission, ...] | None = None, slug: str = SLUG) -> str:
        """A token of somebody with these roles, for all that they bring or for `scope`."""
        self.doors.enrol(name, *roles, slug=slug)
        self.tokens[name] = self.token(name, scope=scope, slug=slug)
        return self.tokens[name]

    def token(self, name: str, *, scope: tuple[Permission, ...] | None = None, slug: str = SLUG) -> str:
        """One more token of somebody who is enrolled."""

        def deed(db: Db) -> str:
            forum = the_forum(db, slug)
            by = actor_of(db, make_user(db, Figure(f"{name}@desk.example", "Desk", name.title(), "", "ORG")))
            mine = tuple(one for one in Permission if by.may(one, forum_id(forum)))
            asked = TokenInput(forum=slug, name=f"{name}'s", scope=mine if scope is None else scope)
            return make_token(db, by, forum, asked, now=NOW)

        return str(self.doors.write(slug, deed))

    def ask(self, method: str, address: str, by: str = "", body: Any = None, **headers: str) -> Any:
        """One request; a POST has a key of its own unless one is given. Header names are written with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if by:
            given.setdefault("authorization", f"Bearer {self.tokens[by]}")
        if method == "POST":
            given.setdefault("idempotency-key", f"key-{next(_keys)}")
        content = None
        if body is not None:
            given.setdefault("content-type", "application/json")
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = address if address.startswith("/api") else f"{BASE}{address}"
        return self.doors.ask(method, at, content=content, headers=given)

    def get(self, address: str, by: str = "organiser", **headers: str) -> Any:
        return self.ask("GET", address, by, **headers)

    def post(self, address: str, body: Any = None, by: str = "organiser", **headers: str) -> Any:
        return self.ask("POST", address, by, body, **headers)

    def put(self, address: str, body: Any, by: str = "organiser", **headers: str) -> Any:
        return self.ask("PUT", address, by, body, **headers)


@contextmanager
def open_programs(loaded_file: Path, folder: Path, file: ForumFile, **settings: str) -> Iterator[Programs]:
    """A site of its own whose organiser has a token for everything."""
    with open_doors(loaded_file, folder, file, **settings) as doors:
        found = Programs(doors)
        found.enrol("organiser", Role.ORGANISER)
        yield found
