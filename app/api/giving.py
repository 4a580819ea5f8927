"""Files as answers: the media types an operation gives, who reads the list that is in one, and the answer itself.

That a list leaves is a deed (`Call.note`), so a file is asked for by a POST and is in no answer that is kept.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from app.accounts.actor import Actor
from app.accounts.rules import Permission
from app.api.calling import Call
from app.api.problems import KEPT_BY_NOBODY
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.i18n import Lang
from app.reports.tables import Cell
from app.reports.taking import KINDS, as_file

MEDIA: Mapping[str, str] = {kind: media.partition(";")[0] for kind, media in KINDS.items()}
"""The kinds of files that a table may be → their media types, the usual one first."""
PDF = "application/pdf"
ZIP = "application/zip"


def gives(*media: str) -> dict[str, Any]:
    """What a route declares that gives a file of one of these media types, the usual one first."""
    content = {kind: {"schema": {"type": "string"}} if kind.startswith("text/") else {} for kind in media}
    return {"response_class": Response, "responses": {200: {"description": "The file", "content": content}}}


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the reader of a list (`reports/reader.py`): in the language that it asks for."""

    actor: Actor
    forum: Forum
    lang: Lang

    def may(self, permission: Permission) -> bool:
        """Has its bearer this permission in this forum?"""
        return self.actor.may(permission, forum_id(self.forum))


def reader(call: Call) -> Program:
    """The caller as a reader: a file's words are in the language of Accept-Language, English where it names none."""
    return Program(call.by, call.forum, call.lang)


def sealed(call: Call, inside: Any) -> str:
    """A digest of what a file holds, under the installation's key: whoever reads it guesses nobody's name by it."""
    said = json.dumps(inside, ensure_ascii=False, sort_keys=True, default=str).encode()
    return hmac.new(call.secret, b"file\n" + said, hashlib.sha256).hexdigest()


async def table_answer(
    call: Call, name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], title: str
) -> Response:
    """A table as a file of the kind that the caller takes."""
    kind = next(kind for kind, media in MEDIA.items() if media == call.kind)
    made = await call.behind.apart(lambda: as_file(headings, rows, kind, title))
    return file_answer(call, f"{name}.{kind}", made, KINDS[kind])


def file_answer(call: Call, name: str, body: bytes, media: str) -> Response:
    """A file under this name, kept by nobody on the way."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-language": call.lang}
    return Response(body, headers={**KEPT_BY_NOBODY, **headers}, media_type=media)
