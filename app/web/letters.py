"""A letter as an answer: its PDF, to look at or to keep."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from app.forum.models import Forum
from app.reports.letters import letter_name, letter_values
from app.web.headers import SECRET
from app.web.site import Site


async def letter_answer(site: Site, forum: Forum, row: Any, category: Any, letter: Any) -> Response:
    """The letter as a PDF to look at or to keep; stored by nobody on the way."""
    at: datetime = letter.asked_at
    made = await site.print("print/letter.typ", letter_values(forum, row, category, letter), at=at)
    headers = {
        "content-disposition": f'inline; filename="{letter_name(forum, letter)}"',
        "cache-control": SECRET,
        "content-language": letter.language,
        "x-robots-tag": "noindex",
    }
    return Response(made, media_type="application/pdf", headers=headers)
