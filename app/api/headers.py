"""What a request says beside its deed: what it takes and brings, what else it asks, which state it has seen."""

import hashlib
import re
from collections.abc import Container, Sequence

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request

from app.api.problems import NotAcceptable, OtherMedia, UnseenChange
from app.kit.errors import BodyTooLarge

JSON = "application/json"
MOST_PARTS = 4_000
"""Commas in a body of JSON. The longest list that is taken has half as many; a list that is wrong in each of its parts
held everybody else up, at a hundred thousand for a second and more."""
_QUALITY = re.compile(r"(?:^|;)q=([01](?:\.[0-9]{0,3})?)(?:;|$)")


def takes_json(request: Request) -> None:
    """Raises NotAcceptable where the Accept header has no place for JSON."""
    taken(request, (JSON, "application/problem+json"))


def taken(request: Request, offered: Sequence[str]) -> str:
    """Which of the media types offered the Accept header wishes for most (RFC 9110 §12.5.1), the first of them among
    equals. Raises NotAcceptable where it has a place for none."""
    wishes: dict[str, float] = {}
    for part in ",".join(request.headers.getlist("accept")).lower().split(","):
        name, _, rest = part.partition(";")
        found = _QUALITY.search(rest.replace(" ", ""))
        wishes[name.strip() or "*/*"] = float(found[1]) if found else 1.0

    def wish(kind: str) -> float:
        ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
        return next((wishes[name] for name in ranges if name in wishes), 0.0)

    best = max(offered, key=wish)
    if not wish(best):
        raise NotAcceptable
    return best


async def brings_json(request: Request) -> bool:
    """Whether there is a body. Raises OtherMedia for one that is said to be no JSON, BodyTooLarge for one of too many
    parts; that of too many bytes comes from whoever counts them."""
    if request.method in {"GET", "HEAD"} or not (body := await request.body()):
        return False
    if body.count(b",") > MOST_PARTS:
        raise BodyTooLarge
    kind, _, rest = request.headers.get("content-type", "").lower().partition(";")
    charset = rest.replace(" ", "").removeprefix("charset=").strip('"')
    if kind.strip() != JSON or charset not in {"", "utf-8", "utf8"}:
        raise OtherMedia
    return True


def asks_nothing_else(request: Request, names: Container[str]) -> None:
    """Raises RequestValidationError for names in the address that the operation has none of: who asks for a part of a
    list and is given all of it would go on with what was never meant."""
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in names]
    if unknown:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown])


def brings_one_of(request: Request, kinds: Container[str]) -> None:
    """Raises OtherMedia for a file that is said to be of none of these kinds, before a byte of it is read."""
    kind, _, _ = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() not in kinds:
        raise OtherMedia


def etag_of(shown: BaseModel) -> str:
    """The strong ETag of a thing: a digest of how it looks to this caller."""
    return tag(shown.model_dump_json().encode())


def tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def knows(request: Request, tag: str) -> bool:
    """Has the caller just this (If-None-Match, RFC 9110 §13.1.2)?"""
    sent = request.headers.get("if-none-match", "")
    return bool(sent) and bool({one.strip().removeprefix("W/") for one in sent.split(",")} & {"*", tag})


def tags(request: Request, *, needed: bool) -> set[str]:
    """The tags of If-Match (RFC 9110 §13.1.1), compared strongly. Raises UnseenChange where one is needed."""
    if not needed:
        return set()
    sent = request.headers.get("if-match", "")
    if not sent:
        raise UnseenChange("if_match_missing")
    return {tag.strip() for tag in sent.split(",")}
