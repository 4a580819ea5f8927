"""The whole forum as an archive at the desk: what is in it, and fetching it. For an owner alone."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.accounts.rules import Permission
from app.editions.archive_plan import FORMAT, belonging, tables
from app.editions.archiving import archive_file, note_archived, pieces_of, size_of
from app.forum.queries import forum_by_slug, forum_id
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Expired, Refused
from app.kit.i18n import text_of
from app.web import deps
from app.web.deps import Desk
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET
from app.web.site import site_of

router = APIRouter(include_in_schema=False)
TOLD: Mapping[str, tuple[str, ...]] = {
    "registrations": ("registration_application",),
    "invitations": ("registration_invitation", "registration_delegation"),
    "files": ("registration_file", "programme_material_file", "programme_portrait"),
    "sessions": ("programme_session",),
    "versions": ("programme_version",),
    "mails": ("mail_message",),
    "facts": ("audit_fact",),
}
"""What the page counts, and the tables it stands in."""


@router.get("/desk/{forum}/archive")
async def archive(request: Request, forum: str) -> Response:
    """What would be in it."""
    return await _page(request, forum)


@router.post("/desk/{forum}/archive")
async def fetch(request: Request, forum: str) -> Response:
    """Note that it leaves, write it into a file without a name, and send that. Nothing is read under the pen."""
    sent, now = await read_form(request), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, _must_own)
    try:
        await deps.write_at_desk(request, desk, sent, lambda db, found: note_archived(db, desk.actor, found, now=now))
    except (Refused, Expired) as refused:
        return await _page(request, forum, refilled(desk.lang, sent, refused), refused.status)
    secret = site_of(request).settings.secret_key
    file = await site_of(request).read_list(
        lambda db: archive_file(db, desk.actor, forum_by_slug(db, desk.forum.slug), secret, now=now)
    )
    headers = {
        "content-disposition": f'attachment; filename="{desk.forum.slug}-{now:%Y-%m-%d}.zip"',
        "content-length": str(size_of(file)),
        "cache-control": SECRET,
    }
    return StreamingResponse(
        pieces_of(file), headers=headers, media_type="application/zip", background=BackgroundTask(file.close)
    )


def _must_own(_db: Db, desk: Desk) -> None:
    desk.actor.must(Permission.MANAGE_ACCESS, forum_id(desk.forum))


def _counted(db: Db, desk: Desk) -> Mapping[str, int]:
    """How many there are of what the page tells. One query each, whatever there is."""
    _must_own(db, desk)
    own, slug = forum_id(desk.forum), desk.forum.slug
    by_name = {each.name: each for each in tables()}

    def rows(name: str) -> int:
        each = by_name[name]
        wanted = select(func.count()).select_from(each).where(belonging(each, own, slug))
        return int(db.execute(wanted).scalar_one())

    return {told: sum(rows(name) for name in names) for told, names in TOLD.items()}


async def _page(request: Request, forum: str, form: Form | None = None, status: int = 200) -> Response:
    desk, counts = await deps.read_at_desk(request, forum, _counted)
    inside = [text_of(desk.lang, f"archive.inside.{name}", n=count) for name, count in counts.items()]
    values: dict[str, Any] = {"inside": inside, "form": form or Form(), "form_of_file": FORMAT}
    return deps.show_at_desk(request, desk, "desk/archive.html", status=status, **values)
