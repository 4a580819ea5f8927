"""Reading a form, and what it shows again after a refusal: what was typed, a sentence for each thing wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import unquote_plus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.kit.errors import Answer
from app.kit.i18n import Lang
from app.web.origin import same_site
from app.web.pages import sentence

MOST_BYTES = 65536
"""The longest field as it is sent: the 4000 Khmer letters that a text may have are nine bytes each (%E1%9E%80)."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form's values by field name (several for checkboxes) and its faults: field → sentence, "" for the whole."""

    kept: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


async def read_form(request: Request, *, fields: int = 60, files: int = 0, longest: int = MOST_BYTES) -> FormData:
    """The form that was sent, with at most so many fields of so many bytes, and files where a page asks for any.

    Raises Forbidden where another site's page sent it, and HTTPException(400) for what is no form in UTF-8: another
    character set named by the sender could bring in halves of letters that no later step can write.
    """
    same_site(request)
    if _kind_of(request) != _TYPED:
        return await request.form(max_files=files, max_fields=fields, max_part_size=longest)
    body = await request.body()
    if not body.isascii():
        raise HTTPException(400)
    return _typed(body.decode("ascii"), fields, longest)


_TYPED = "application/x-www-form-urlencoded"


def _kind_of(request: Request) -> str:
    kind = request.headers.get("content-type", "")
    if kind == _TYPED:
        return kind  # no more than that is what browsers say
    message = Message()
    message["content-type"] = kind
    if str(message.get_param("charset", "utf-8")).lower() not in {"utf-8", "utf8"}:
        raise HTTPException(400)
    return message.get_content_type()


def _typed(body: str, most: int, longest: int) -> FormData:
    """A form without files, read in one go: Starlette's parser goes through it by pieces, which takes four times as
    long. It gives the same (`tests/web/test_forms.py`)."""
    parts = [part.partition("=") for part in body.split("&") if part]
    if len(parts) > most or any(len(name) + len(value) > longest for name, _, value in parts):
        raise HTTPException(400)
    return FormData([(unquote_plus(name), unquote_plus(value)) for name, _, value in parts])


def refilled(lang: Lang, sent: FormData, refused: Answer, several: tuple[str, ...] = (), *, wording: str = "") -> Form:
    """The form as it was sent, with what is wrong in words. Fields named in `several` keep a list.

    Files are not kept: a browser does not let a page choose one again. A field's first fault is the one shown.
    """
    kept: dict[str, str | Sequence[str]] = {
        name: [value for value in sent.getlist(name) if isinstance(value, str)] if name in several else value
        for name, value in sent.items()
        if isinstance(value, str)
    }
    faults: dict[str, str] = {}
    for fault in refused.faults:
        # a fault in the third title is shown at the titles
        faults.setdefault(fault.field.split(".")[0], sentence(lang, fault, wording))
    # in the order of the form; what is about the whole comes first, what was not even sent (a box not ticked) last
    order = {"": -1, **{name: place for place, name in enumerate(sent)}}
    return Form(kept, dict(sorted(faults.items(), key=lambda item: order.get(item[0], len(order)))))
