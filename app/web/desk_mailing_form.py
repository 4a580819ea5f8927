"""A mailing's form at the desk: what was sent into an input, and a kept one into fields and words."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from app.correspondence.mailing import MailingInput
from app.correspondence.rules.segments import CAPACITIES, STANDINGS, Audience, Segment, from_kept
from app.kit.i18n import Lang, moment, text_of
from app.kit.inputs import parse
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.local_times import instant, typed

SEVERAL = ("standings", "categories")
TEXTS = ("subject_en", "text_en", "subject_km", "text_km")
MOST_FIELDS = 120
_LINES = (
    "name",
    "purpose",
    *TEXTS,
    "audience",
    "capacity",
    "confirmed",
    "country",
    "delegation",
    "institution",
    "tag",
    "session",
    "language",
)


def parsed(sent: FormData, zone: str) -> MailingInput:
    """What was sent, its times read in the forum's zone. Raises Invalid."""
    lists = {name: tuple(value for value in sent.getlist(name) if isinstance(value, str)) for name in SEVERAL}
    times = {name: instant(_text(sent, name), zone, name) for name in ("asked_from", "asked_until")}
    lines = {name: _text(sent, name) for name in _LINES}
    essential = {"yes": True, "": False}.get(_text(sent, "essential"), _text(sent, "essential"))
    chosen = tuple(_text(sent, "chosen").split())
    return parse(MailingInput, {**lines, **lists, **times, "essential": essential, "chosen": chosen})


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value if isinstance(value, str) else ""


def kept(row: Any, zone: str) -> dict[str, Any]:
    """A kept mailing as the form's fields."""
    fields = {name: getattr(row, name) for name in ("name", "purpose", *TEXTS)}
    return {**fields, "essential": "yes" if row.essential else "", **questions(from_kept(row.segment), zone)}


def questions(segment: Segment, zone: str) -> dict[str, Any]:
    """A segment as the form's fields; those chosen one by one are one field of all their codes."""
    names = ("capacity", "confirmed", "country", "delegation", "institution", "tag", "session")
    asked = {name: getattr(segment, name) for name in names}
    return {
        **asked,
        "chosen": " ".join(segment.chosen),
        "audience": segment.audience.value,
        "language": segment.language,
        "standings": list(segment.standings),
        "categories": list(segment.categories),
        "asked_from": typed(segment.asked_from, zone),
        "asked_until": typed(segment.asked_until, zone),
    }


def choices(lang: Lang) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen of the lists that are the same in every forum: pairs (value, words)."""

    def pairs(name: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(value, text_of(lang, f"mailings.{name}.{value}")) for value in values]

    return {
        "audiences": pairs("audience", tuple(one.value for one in Audience)),
        "standings": [(value, text_of(lang, f"mailings.standing.{value}")) for value in STANDINGS],
        "capacities": pairs("capacity", CAPACITIES),
        "confirmations": pairs("confirmation", ("yes", "no")),
        "languages": pairs("language", ("en", "km")),
    }


def in_words(desk: Desk, row: Any, groups: Mapping[str, str], tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """A kept mailing as (label, words), for whoever had another one open; `groups` are names by code, `tags` by
    number."""
    lang = desk.lang
    shown = [(text_of(lang, f"mailings.{name}"), getattr(row, name)) for name in ("name", "purpose")]
    shown += [(text_of(lang, f"messages.{name}"), getattr(row, name)) for name in TEXTS]
    essential = text_of(lang, "mailings.essential_yes" if row.essential else "mailings.essential_no")
    return [*shown, (text_of(lang, "mailings.essential"), essential), segment_in_words(desk, row, groups, tags)]


def segment_in_words(desk: Desk, row: Any, groups: Mapping[str, str], tags: Mapping[str, str]) -> tuple[str, str]:
    """Whom it is for, as (label, words): everything that is asked, in the order of the form."""
    lang, segment = desk.lang, from_kept(row.segment)
    said = [text_of(lang, f"mailings.audience.{segment.audience.value}")]
    said += [text_of(lang, f"mailings.standing.{one}") for one in segment.standings]
    said += [text_of(lang, "mailings.chosen", n=len(segment.chosen))] if segment.chosen else []
    said += [groups.get(code, code) for code in segment.categories]
    if segment.capacity:
        said.append(text_of(lang, f"mailings.capacity.{segment.capacity}"))
    if segment.confirmed:
        said.append(text_of(lang, f"mailings.confirmation.{segment.confirmed}"))
    if segment.delegation:
        named = segment.delegation in {"any", "none"}
        said.append(text_of(lang, f"mailings.delegation_{segment.delegation}") if named else segment.delegation)
    if segment.institution:
        said.append(_asked(lang, "institution", segment.institution))
    if segment.tag:
        said.append(_asked(lang, "tag", tags.get(segment.tag) or text_of(lang, "mailings.tag_gone")))
    if segment.language:
        said.append(text_of(lang, f"mailings.language.{segment.language}"))
    said += [country_name(segment.country, lang)] if segment.country else []
    said += [segment.session] if segment.session else []
    for name, at in (("asked_from", segment.asked_from), ("asked_until", segment.asked_until)):
        if at is not None:
            said.append(f"{text_of(lang, f'mailings.{name}')} {moment(at, lang, desk.forum.timezone)}")
    return text_of(lang, "mailings.segment"), " · ".join(said)


def _asked(lang: Lang, name: str, value: str) -> str:
    """A question that the list of registrations asks too, in the list's own words."""
    return text_of(lang, "table.asked", what=text_of(lang, f"table.field.{name}"), value=value)
