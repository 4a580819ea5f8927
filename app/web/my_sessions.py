"""A participant's own sessions: the programme to choose from, places, lists, and what is at the same time."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.calendars.common import common_of
from app.calendars.shelves import Shelf
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Conflict, Expired, Refused
from app.kit.i18n import Lang
from app.programme.queries import published, visible_to
from app.programme.rules.visibility import Viewer
from app.programme.worded import Words, words_of
from app.registration import picking
from app.registration.looking import moved_since
from app.registration.pick_queries import Count, OwnPicks, counts_of, own_picks
from app.registration.queries import Own, own_registration
from app.registration.rules.states import HOLDS_SEAT, State
from app.registration.rules.wording import wording_of
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.picks import FIELDS, ChoiceDay, choices, codes_sent, ticked_of
from app.web.public import Public, read_as_public
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OwnSessions:
    """A registration with the programme as it exists for its person, their picks, and how full each session is."""

    own: Own
    seen: Public
    picks: OwnPicks
    counts: dict[str, Count]


@router.get("/{lang}/my/{secret}/sessions")
async def sessions(request: Request, lang: str, secret: str) -> Response:
    """The programme by day with what one may choose."""
    words, mine = await _mine(request, lang, secret)
    return _show(request, words, secret, mine)


@router.post("/{lang}/my/{secret}/sessions")
async def choose(request: Request, lang: str, secret: str) -> Response:
    """Take the whole choice at once; sending it twice is harmless."""
    words, mine = await _mine(request, lang, secret)
    sent, now, own = await read_form(request, fields=FIELDS), clock.now(), mine.own
    wanted, forced, edition = codes_sent(sent), sent.get("forced") == "yes", _edition(sent.get("edition"))
    by, slug, code = Actor.participant(own.row.id), own.forum.slug, own.row.code
    try:
        read_form_token(request, sent, "my", code)
        await site_of(request).write_settled(
            slug,
            lambda db: picking.put_picks(
                db, by, forum_by_slug(db, slug), code, wanted, edition, now=now, forced=forced
            ),
            now=now,
        )
    except (Refused, Expired) as refused:
        _, mine = await _mine(request, lang, secret)
        return _show(request, words, secret, mine, refilled(words, sent, refused, several=("pick",)), refused)
    return RedirectResponse(f"/{words}/my/{secret}/sessions?done=saved", 303, headers={"cache-control": SECRET})


def _edition(text: object) -> int:
    """The edition a form was opened on; -1, which none is, where that is not said."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 else -1


async def _mine(request: Request, lang: str, secret: str) -> tuple[Lang, OwnSessions]:
    words, found = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: read_own_sessions(db, words, found))


def read_own_sessions(db: Db, lang: Lang, secret: str) -> OwnSessions:
    """Everything the page shows, whatever the programme holds, in as many queries. Raises NotFound."""
    own = own_registration(db, secret)
    return _sessions_of(db, lang, own, own_picks(db, own.row.id))


def chosen_sessions(db: Db, lang: Lang, own: Own) -> list[ChoiceDay]:
    """The sessions a person has chosen, by day, with where each pick stands; two queries where there is none."""
    picks = own_picks(db, own.row.id)
    if not picks.by_uid:
        return []
    mine, wording = _sessions_of(db, lang, own, picks), wording_of(in_hall=own.category.in_hall)
    ticked, holds_seat = ticked_of(mine.seen, picks), State(own.row.state) in HOLDS_SEAT
    days = choices(mine.seen, mine.counts, ticked, picks, holds_seat=holds_seat, wording=wording)
    chosen = (replace(day, choices=tuple(one for one in day.choices if one.ticked)) for day in days)
    return [day for day in chosen if day.choices]


def moved_sessions(db: Db, lang: Lang, own: Own, shelf: Shelf) -> list[Words]:
    """What changed in a person's own sessions since they last looked, in words; the programme is taken ready."""
    common = common_of(shelf.programme, shelf.sign_ups)
    found = moved_since(db, own.forum, own.row, shelf.programme, common)
    return [words_of(change, lang, own.forum.timezone) for change in found]


def _sessions_of(db: Db, lang: Lang, own: Own, picks: OwnPicks) -> OwnSessions:
    seen = read_as_public(db, lang, own.forum.slug)
    if picks.admitted:
        whole = published(db, forum_id(own.forum))
        codes = frozenset(session.code for session in whole.sessions if session.uid in picks.admitted)
        seen = replace(seen, programme=visible_to(whole, Viewer(codes)))
    return OwnSessions(own, seen, picks, counts_of(db, forum_id(own.forum)))


def _show(
    request: Request,
    lang: Lang,
    secret: str,
    mine: OwnSessions,
    form: Form | None = None,
    refused: Refused | Expired | None = None,
) -> Response:
    own, picks = mine.own, mine.picks
    stale = form is None or isinstance(refused, Conflict)
    ticked = ticked_of(mine.seen, picks) if stale or form is None else set(form.kept.get("pick", ()))
    holds_seat = State(own.row.state) in HOLDS_SEAT
    done = form is None and request.query_params.get("done") == "saved" and picks.edition > 0
    wording = wording_of(in_hall=own.category.in_hall)
    values = {
        "forum": own.forum,
        "own": own,
        "days": choices(mine.seen, mine.counts, ticked, picks, holds_seat=holds_seat, wording=wording),
        "holds_seat": holds_seat,
        "chosen": bool(picks.by_uid),
        "form": form or Form(),
        "clash": isinstance(refused, picking.Clash),
        "edition": picks.edition if stale or form is None else form.kept.get("edition", picks.edition),
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "done": done,
    }
    status = refused.status if refused else 200
    return page(request, lang, "registration/sessions.html", status=status, secret=True, wording=wording, **values)
