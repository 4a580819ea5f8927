"""Style sheets, scripts and fonts, each at an address that changes with its bytes."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.kit.errors import NotFound
from app.web.headers import FOR_EVER
from app.web.published import publish
from app.web.site import site_of

router = APIRouter()


@router.get("/static/{rest:path}", include_in_schema=False)
async def asset(request: Request, rest: str) -> Response:
    found = site_of(request).assets.get(f"/static/{rest}")
    if found is None:
        raise NotFound
    answer = Response(found.body, media_type=found.media_type, headers={"cache-control": FOR_EVER})
    # with a query it is the same file under another address, of which anybody could have as many kept as they like
    return answer if request.url.query else publish(answer, "site", 1 << 62)
