"""Public pages as they would be with settings that are not saved: as everybody would have them, written nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.forum import setting
from app.forum.queries import forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.i18n import LANGS, Lang
from app.kit.inputs import Input
from app.registration.naming_groups import GROUPS, GroupInput, GroupsPart
from app.registration.queries import Registration, registration_of
from app.web import home, themes
from app.web.deps import Desk
from app.web.forms import Form
from app.web.pages import page
from app.web.public import Public, read_as_public
from app.web.registration import choosing
from app.web.site import site_of


@dataclass(frozen=True, slots=True)
class Frame:
    """A public page as it would be: which, for which language and width, and the whole of its HTML."""

    page: str
    lang: Lang
    wide: bool
    html: str


async def frames_with(request: Request, desk: Desk, part: str, read: Input) -> list[Frame]:
    """The first page, and the one that a part is about, in both languages and both widths."""
    shown = {lang: await _pages_with(request, desk, lang, part, read) for lang in LANGS}
    return [
        Frame(name, lang, wide, shown[lang][name])
        for name in shown[desk.lang]
        for lang in LANGS
        for wide in (True, False)
    ]


async def _pages_with(request: Request, desk: Desk, lang: Lang, part: str, read: Input) -> Mapping[str, str]:
    """The forum's first page in one language with a part of the settings that is not saved; beside it the page of the
    themes or of the groups, where it is about those."""
    own, now = forum_id(desk.forum), clock.now()

    def look(db: Db) -> tuple[Public, Any, Sequence[Any], Registration | None]:
        standing = registration_of(db, desk.forum, now=now) if part == GROUPS else None
        return read_as_public(db, lang, desk.forum.slug), *home.registration(db, own), standing

    seen, terms, categories, standing = await site_of(request).read(look)
    if isinstance(read, GroupsPart):
        said = {group.code: group for group in read.groups}
        categories = [_as_said(row, said[row.code]) if row.code in said else row for row in categories]
        standing = _worded(standing, said) if standing else None
    else:
        seen = replace(seen, page=setting.as_it_would_be(seen.page, part, read))
    about: dict[str, Any] = {"forum": seen.forum, "base": seen.base, "twin": "#main"}
    values, _ = await home.shown(request, seen, terms, categories)
    found: dict[str, Response] = {"home": page(request, lang, home.PAGE, **values, **about)}
    if part == "topics":
        found["themes"] = page(request, lang, themes.PAGE, groups=themes.groups_of(seen), **about)
    if standing is not None:
        found["register"] = choosing(request, lang, seen.forum, standing, Form())
    return {name: bytes(answer.body).decode() for name, answer in found.items()}


def _worded(standing: Registration, said: Mapping[str, GroupInput]) -> Registration:
    """How registration stands, with words of the groups that are not saved."""
    worded = (
        replace(one, letter=new.letter, band=new.band, name=new.name, description=new.description)
        for one in standing.categories
        if (new := said[one.code])
    )
    return replace(standing, categories=tuple(worded))


def _as_said(row: Any, group: GroupInput) -> Any:
    """A group as the first page reads it, with words that are not saved."""
    said = {name: getattr(group, name) for name in GroupInput.model_fields}
    times = {name: getattr(row, name) for name in ("mode", "opens_at", "closes_at")}
    return SimpleNamespace(**said, **times)
