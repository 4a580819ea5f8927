"""Mail that is not essential, off and on: a page by its own secret link, and the one click of a mail program."""

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.correspondence import mailboxes
from app.kit import clock
from app.kit.errors import Expired, Refused
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
PURPOSE = "opt-out"


@router.get("/{lang}/unsubscribe/{secret}")
async def look(request: Request, lang: str, secret: str) -> Response:
    """How it stands, and the button. Opening it changes nothing: scanners of mail open every link."""
    return await _page(request, lang, secret)


@router.post("/{lang}/unsubscribe/{secret}")
async def choose(request: Request, lang: str, secret: str) -> Response:
    """Turn it off or on: by the page's own button, or off by a mail program's one click.

    Such a program comes without the page's token (RFC 8058 §3.2). Whoever sends that much holds the secret link, and
    can do nothing by it but end mail of this kind.
    """
    sent, found, words, now = await read_form(request), token(secret), language(lang), clock.now()
    forum, _ = await site_of(request).read(lambda db: mailboxes.by_token(db, found))
    one_click = sent.get("List-Unsubscribe") == "One-Click" and "form" not in sent
    try:
        wanted = not one_click and _wanted(request, sent, found)
    except (Refused, Expired) as refused:
        return await _page(request, lang, secret, refilled(words, sent, refused), refused.status)
    await site_of(request).write_settled(forum.slug, lambda db: mailboxes.choose(db, found, wanted=wanted, now=now))
    if one_click:  # a program follows no redirect (RFC 8058 §3.1)
        return await _page(request, lang, secret)
    return RedirectResponse(f"/{words}/unsubscribe/{found}?done=yes", 303, headers={"cache-control": SECRET})


def _wanted(request: Request, sent: FormData, secret: str) -> bool:
    read_form_token(request, sent, PURPOSE, secret)
    if sent.get("news") not in {"on", "off"}:
        raise Refused("not_a_choice")
    return sent.get("news") == "on"


async def _page(request: Request, lang: str, secret: str, form: Form | None = None, status: int = 200) -> Response:
    words, found = language(lang), token(secret)
    forum, row = await site_of(request).read(lambda db: mailboxes.by_token(db, found))
    values: dict[str, Any] = {
        "forum": forum,
        "off": row.opted_out_at is not None,
        "address": f"/{words}/unsubscribe/{found}",
        "form": form or Form(),
        "token": form_token(request, PURPOSE, found),
        "done": form is None and request.query_params.get("done") == "yes",
    }
    return page(request, words, "registration/unsubscribe.html", status=status, secret=True, **values)
