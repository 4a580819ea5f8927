"""Photographs of speakers: taken from a form and made anew in a thread, and given to whoever may see them."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.forum.queries import forum_id
from app.kit.errors import Fault, Invalid, NotFound, Refused
from app.kit.pictures import Picture, made_anew
from app.programme.portraits import PHOTO_BYTES, Photograph, portrait_of
from app.web.headers import PUBLISHED, SECRET
from app.web.pages import slug
from app.web.public import public
from app.web.published import publish
from app.web.site import site_of
from app.web.speakers import people_of

router = APIRouter()
ACCEPTED = ".jpg,.jpeg,.png,.webp,image/jpeg,image/png,image/webp"
"""What a browser offers to choose."""


@router.get("/{lang}/{forum}/speakers/{code}/photo.jpg")
async def photo(request: Request, lang: str, forum: str, code: str) -> Response:
    """The photograph that the public version shows. Not found for whoever speaks only in closed sessions, and for whom
    no name is announced: the version has none of them (`programme.rules.speakers`)."""
    seen = await public(request, lang, forum)
    one = people_of(seen).get(slug(code))
    if one is None or not one.person.photo:
        raise NotFound
    own, who, digest = forum_id(seen.forum), one.person.code, one.person.photo
    found = await site_of(request).read(lambda db: portrait_of(db, own, who, digest))
    response = jpeg(found, PUBLISHED)
    return response if request.url.query else publish(response, seen.forum.slug, seen.revision)


def jpeg(found: Photograph | None, cache_control: str = SECRET) -> Response:
    """A photograph as an answer. Raises NotFound where there is none."""
    if found is None:
        raise NotFound
    headers = {"cache-control": cache_control, "content-disposition": 'inline; filename="photo.jpg"'}
    return Response(found.body, headers=headers, media_type="image/jpeg")


async def read_photo(request: Request, sent: FormData) -> Picture | None:
    """The photograph that a form brought, made anew; None where it asks to take the present one away.

    Raises Invalid, at the field `photo`: none was chosen, or what `made_anew` refuses.
    """
    upload = sent.get("photo")
    try:
        if isinstance(upload, UploadFile) and upload.size:
            # as the lists of people: one at a time, for each takes a core
            async with site_of(request).reading_desk:
                return await run_in_threadpool(made_anew, await upload.read(PHOTO_BYTES + 1), most_bytes=PHOTO_BYTES)
    except Refused as refused:
        raise Invalid([Fault("photo", refused.code, refused.values)]) from None
    finally:
        await sent.close()
    if sent.get("drop") != "yes":
        raise Invalid([Fault("photo", "photo_missing")])
    return None
