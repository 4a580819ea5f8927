"""What every public page of a forum begins with: the forum, its published programme, and the revision they are of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from app.forum.models import Forum
from app.forum.queries import ForumPage, TrackView, for_everybody, forum_id, forum_page
from app.kit.db import Db
from app.kit.i18n import Lang
from app.kit.pen import revisions
from app.programme.published import Programme
from app.programme.queries import published, visible_to
from app.programme.rules.visibility import PUBLIC
from app.web.pages import language, page, slug
from app.web.published import publish
from app.web.site import site_of


@dataclass(frozen=True, slots=True)
class Public:
    """A forum as everybody may see it, in one language, all read in one view of the database."""

    lang: Lang
    page: ForumPage
    programme: Programme
    revision: int
    extra: Any = None

    @property
    def forum(self) -> Forum:
        return self.page.forum

    @property
    def base(self) -> str:
        """The address under which the forum's pages stand."""
        return f"/{self.lang}/{self.forum.slug}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.forum.timezone)

    @property
    def tracks(self) -> Mapping[str, TrackView]:
        return {track.code: track for track in self.page.tracks}

    def local_day(self, instant: datetime) -> date:
        """The day of the forum in which an instant falls."""
        return instant.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a page says of itself when its address is passed on. `linked` is JSON ready to stand in a page, or "";
    `picture` the tail of its picture's address, behind the forum's."""

    description: str
    linked: str = ""
    picture: str = "/picture.png"


def read_as_public(db: Db, lang: Lang, forum_slug: str) -> Public:
    """The forum at this slug with its programme as the public may see it. Raises NotFound.

    Also for those who hold a secret link of a forum that is not public yet: `public` refuses everybody else.
    """
    known = revisions(db)
    found = forum_page(db, forum_slug)
    programme = visible_to(published(db, forum_id(found.forum)), PUBLIC)
    return Public(lang, found, programme, known.get(forum_slug, 0))


async def public(request: Request, lang: str, forum: str) -> Public:
    """The forum of a public address. Raises NotFound where language or forum is none, or the forum is not public."""
    known, name = language(lang), slug(forum)
    return await site_of(request).read(lambda db: read_if_public(db, known, name))


def read_if_public(db: Db, lang: Lang, forum_slug: str) -> Public:
    """The same for everybody. Raises NotFound where the forum is not public."""
    seen = read_as_public(db, lang, forum_slug)
    for_everybody(seen.forum)
    return seen


def show(
    request: Request,
    seen: Public,
    template: str,
    *,
    valid_until: datetime | None = None,
    canonical: bool | None = None,
    **values: Any,
) -> Response:
    """Render a public page and keep its bytes until the forum's revision grows or `valid_until` (UTC) comes.

    An address with a query is kept only where the view says that it is `canonical`: else anybody could fill the
    memory with addresses of their own making.
    """
    values.setdefault("shared", Shared(seen.forum.summary.of(seen.lang)))
    response = page(request, seen.lang, template, forum=seen.forum, base=seen.base, **values)
    if canonical if canonical is not None else not request.url.query:
        publish(response, seen.forum.slug, seen.revision, valid_until)
    return response
