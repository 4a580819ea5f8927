"""What is held about a person, on their own page: to read, to take along, to have erased."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.actor import Actor
from app.forum.models import Forum
from app.forum.queries import forum_by_slug
from app.kit import clock
from app.kit.errors import Expired, Refused
from app.kit.i18n import Lang, day, has_text, moment, text_of
from app.registration.delegations import institution_name
from app.registration.erasing import erase
from app.registration.filing import own_file
from app.registration.held import Asked, Held, as_json, held_about
from app.registration.lettering import reference
from app.registration.people import shown_name
from app.registration.queries import Own, own_registration
from app.registration.rules.picks import PickState
from app.registration.rules.states import HOLDS_SEAT, State
from app.registration.rules.wording import wording_of
from app.reports.history import told
from app.web.answers import download, file_number, said
from app.web.countries import country_name
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.my import along_of, own_of
from app.web.pages import form_token, language, page, read_form_token, token
from app.web.site import site_of

router = APIRouter(include_in_schema=False)


@router.get("/{lang}/my/{secret}/data")
async def data(request: Request, lang: str, secret: str) -> Response:
    """Everything held about this registration, to read."""
    words, held = await _held(request, lang, secret)
    return _data_page(request, words, secret, held)


@router.get("/{lang}/my/{secret}/data.json")
async def data_file(request: Request, lang: str, secret: str) -> Response:
    """The same as a file."""
    _, held = await _held(request, lang, secret)
    body = json.dumps(as_json(held), ensure_ascii=False, indent=2).encode()
    headers = {
        "content-disposition": f'attachment; filename="{held.own.row.code}.json"',
        "cache-control": SECRET,
    }
    return Response(body, media_type="application/json", headers=headers)


@router.get("/{lang}/my/{secret}/files/{number}")
async def sent_file(request: Request, lang: str, secret: str, number: str) -> Response:
    """A file that was sent with the form, to save."""
    language(lang)
    found, wanted, site = token(secret), file_number(number), site_of(request)
    return download(await site.read(lambda db: own_file(db, own_registration(db, found).row.id, wanted)))


@router.get("/{lang}/my/{secret}/erasure")
async def ask_erasure(request: Request, lang: str, secret: str) -> Response:
    """Say what erasing means and ask once more."""
    words, own = await own_of(request, lang, secret)
    return await _erasure_page(request, words, secret, own)


@router.post("/{lang}/my/{secret}/erasure")
async def erase_all(request: Request, lang: str, secret: str) -> Response:
    """Erase: the registration ends, a seat goes to the next, and what is personal goes."""
    words, own = await own_of(request, lang, secret)
    sent, slug, code, now = await read_form(request), own.forum.slug, own.row.code, clock.now()
    by = Actor.participant(own.row.id)
    try:
        read_form_token(request, sent, "my", code)
        await site_of(request).write_settled(
            slug, lambda db: erase(db, by, forum_by_slug(db, slug), code, now=now), now=now
        )
    except (Refused, Expired) as refused:
        return await _erasure_page(request, words, secret, own, refilled(words, sent, refused), refused.status)
    return RedirectResponse(f"/{words}/my/{secret}", 303, headers={"cache-control": SECRET})


async def _held(request: Request, lang: str, secret: str) -> tuple[Lang, Held]:
    words, found = language(lang), token(secret)
    return words, await site_of(request).read(lambda db: held_about(db, own_registration(db, found)))


def _data_page(request: Request, lang: Lang, secret: str, held: Held) -> Response:
    own, row, asked = held.own, held.own.row, held.invitation
    names = {own.category.code: own.category.name.of(lang)}
    details = [
        *_person(row),
        ("registration.form.country", country_name(row.country, lang)),
        ("registration.form.phone", row.phone),
        ("registration.my.email", row.email),
        ("registration.my.assistant", row.assistant_name),
        ("registration.form.attends_as", text_of(lang, f"registration.form.{row.attends_as}") if row.email else ""),
        ("registration.form.meals", own.needs[0]),
        ("registration.form.access", own.needs[1]),
        ("registration.data.delegation", institution_name(held.delegation, lang) if held.delegation else ""),
        ("registration.data.accompanies", held.ties.accompanies),
        ("registration.data.merged", ", ".join(held.ties.merged)),
        ("registration.data.merged_into", held.ties.merged_into),
        ("registration.data.priority", row.priority_reason),
        ("registration.data.note", row.decision_note),
        ("registration.data.since", day(held.rank.since, lang, "long") if held.rank and held.rank.since else ""),
        ("registration.data.rank", held.rank.reason if held.rank else ""),
    ]
    values = {
        "forum": own.forum,
        "own": own,
        "details": _lines(lang, details),
        "state": text_of(lang, f"desk.state.{row.state}"),
        "answers": said(lang, own.answers, f"/{lang}/my/{secret}/files"),
        "letters": [_letter(lang, own.forum, letter) for letter in held.letters],
        "sessions": _sessions(lang, held),
        "companions": [_companion(lang, one) for one in held.companions],
        "notes": held.notes,
        "tags": held.tags,
        "invitation": _invitation(lang, own.forum, asked),
        "asked_mails": [(_mail(lang, mail.template), mail) for mail in asked.mails] if asked else [],
        "asked_facts": [told(lang, fact, names) for fact in asked.facts] if asked else [],
        "mails": [(_mail(lang, mail.template), mail) for mail in held.mails],
        "facts": [told(lang, fact, names) for fact in held.facts],
        "secret_path": f"/{lang}/my/{secret}",
        "retention_on": own.terms.retention_on,
    }
    return page(request, lang, "registration/data.html", secret=True, **values)


Line = tuple[str, str]
"""What something is, and what of it is held."""


def _lines(lang: Lang, values: Iterable[tuple[str, Any]]) -> list[Line]:
    return [(text_of(lang, key), str(value)) for key, value in values if value]


def _person(row: Any) -> list[tuple[str, Any]]:
    written = ("family_name", "given_name", "name_km", "display_name", "institution", "position_title")
    return [
        ("registration.form.titles", ", ".join(row.titles)),
        *((f"registration.form.{name}", getattr(row, name)) for name in written),
    ]


def _letter(lang: Lang, forum: Forum, letter: Any) -> tuple[str, list[Line]]:
    """A letter with the words of the passport that were given for it."""
    born = day(letter.birth_date, lang, "long") if letter.birth_date else ""
    purged = moment(letter.purged_at, lang, forum.timezone) if letter.purged_at else ""
    values = [
        ("desk.invitation.reference", reference(forum, letter)),
        ("letters.passport_name", letter.passport_name),
        ("letters.passport_number", letter.passport_number),
        ("letters.nationality", country_name(letter.nationality, lang)),
        ("letters.birth_date", born),
        ("registration.data.letter_at", moment(letter.asked_at, lang, forum.timezone)),
        ("registration.data.purged_at", purged),
    ]
    return text_of(lang, f"letters.kind.{letter.kind}"), _lines(lang, values)


def _sessions(lang: Lang, held: Held) -> list[tuple[str, str, datetime]]:
    """The sessions chosen: title, where the choice stands, and since when."""
    counts, found = State(held.own.row.state) in HOLDS_SEAT, []
    for uid, pick, session in held.sessions:
        if session is not None and session.cancelled:
            words = text_of(lang, "registration.picks.state.cancelled")
        elif not counts:
            words = text_of(lang, "registration.picks.state.later")
        elif pick.state is PickState.SEATED:
            words = text_of(lang, "registration.data.session_place", n=pick.number or 0)
        else:
            words = text_of(lang, f"registration.picks.state.{pick.state.value}", n=pick.ahead or 1)
        found.append((session.title.of(lang) if session else uid, words, pick.asked_at))
    return found


def _companion(lang: Lang, row: Any) -> tuple[str, str, list[Line]]:
    """Somebody who comes along: their name, their class with how it stands, and what else is held."""
    stands = f"{row.category_name.of(lang)} · {text_of(lang, f'desk.state.{row.state}')} · {row.code}"
    more = [
        ("registration.form.country", country_name(row.country, lang)),
        ("registration.form.phone", row.phone),
    ]
    return shown_name(row, lang), stands, _lines(lang, [*_person(row), *more])


def _invitation(lang: Lang, forum: Forum, asked: Asked | None) -> list[Line]:
    """The invitation the registration comes from; of one by code its code alone."""
    if asked is None:
        return []
    row = asked.row
    if not asked.personal:
        return _lines(lang, [("registration.data.invitation_code", row.code)])

    def at(instant: datetime | None) -> str:
        return moment(instant, lang, forum.timezone) if instant else ""

    values = [
        ("registration.data.invited_at", at(row.created_at)),
        ("registration.data.reply_by", at(row.reply_by)),
        ("registration.data.reminded_at", at(row.reminded_at)),
        ("registration.data.answered_at", at(row.answered_at)),
        ("desk.invitation.stands", text_of(lang, f"desk.invitation.reply.{row.state}")),
        ("desk.invitation.reference", row.reference),
        ("registration.my.email", row.email),
    ]
    return _lines(lang, [*values, *_person(row)])


def _mail(lang: Lang, template: str) -> str:
    key = f"desk.mail_kind.{template.replace('/', '.')}"
    return text_of(lang, key) if has_text(lang, key) else template


async def _erasure_page(
    request: Request, lang: Lang, secret: str, own: Own, form: Form | None = None, status: int = 200
) -> Response:
    values = {
        "forum": own.forum,
        "own": own,
        "name": shown_name(own.row, lang),
        "form": form or Form(),
        "token": form_token(request, "my", own.row.code),
        "secret_path": f"/{lang}/my/{secret}",
        "along": await along_of(request, lang, own),
    }
    template = "registration/erasure.html" if own.row.erased_at is None else "registration/erased.html"
    wording = wording_of(in_hall=own.category.in_hall)
    return page(request, lang, template, status=status, secret=True, wording=wording, **values)
