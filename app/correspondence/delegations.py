"""What a mail to a delegation's focal point says, looked up when it is rendered."""

from typing import Any

from sqlalchemy import func, select

from app.forum.models import Forum
from app.kit.db import Db, table
from app.kit.errors import NotFound
from app.kit.i18n import Lang, moment
from app.kit.settings import Settings
from app.mail.outbox import Claimed
from app.registration.delegations import delegation_of, institution_name, page_token
from app.registration.models import Category, Seat
from app.registration.rules.names import normal_email
from app.registration.rules.wording import wording_of

_categories, _seats = table(Category), table(Seat)


def about_delegation(
    db: Db, forum: Forum, message: Claimed, code: str, lang: Lang, settings: Settings
) -> tuple[dict[str, Any], str, str]:
    """The values of the mail's texts, its link, and the wording of its texts.

    Raises NotFound where it is no longer true: another focal point keeps the seats now, who alone may get the link;
    the invitation was withdrawn; or nothing is left to be reminded of.
    """
    row = delegation_of(db, forum, code)
    if normal_email(row.focal_email) != normal_email(message.to_address):
        raise NotFound
    if row.ended_at is not None and message.template != "delegation/withdrawn":
        raise NotFound
    free = (_seats.c.delegation_id == row.id) & _seats.c.application_id.is_(None)
    unnamed = db.execute(select(func.count()).select_from(_seats).where(free)).scalar_one()
    if message.template == "delegation/reminder" and not unnamed:
        raise NotFound
    named = select(_categories.c.name, _categories.c.in_hall).where(_categories.c.id == row.category_id)
    category = db.execute(named).one()
    values = {
        "institution": institution_name(row, lang),
        "category": category.name.of(lang),
        "forum": forum.title.of(lang),
        "code": row.code,
        "seats": row.seats,
        "unnamed": unnamed,
        "reference": row.reference or "–",
        "deadline": moment(row.deadline, lang, forum.timezone),
        **message.values,
    }
    token = page_token(settings.secret_key, row.id, row.generation)
    wording = wording_of(in_hall=category.in_hall)
    return values, f"{settings.base_url}/{lang}/delegations/{token}", wording
