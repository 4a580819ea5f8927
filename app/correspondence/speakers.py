"""What a mail to a speaker says, looked up when it is rendered."""

from typing import Any

from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Db
from app.kit.errors import NotFound
from app.kit.i18n import Lang, moment, text_of
from app.kit.settings import Settings
from app.mail.outbox import Claimed
from app.programme import telling
from app.programme.asking import ASKED, speaker_token
from app.programme.asking_queries import speaker_of
from app.programme.queries import working_copy
from app.programme.rules.speakers import OPEN, Reply


def about_speaker(
    db: Db, forum: Forum, message: Claimed, code: str, lang: Lang, settings: Settings
) -> tuple[dict[str, Any], str, str]:
    """The values of the mail's texts, its link, and whom it greets.

    Raises NotFound where it is no longer true: the question was taken back or answered, or goes to another address now.
    """
    row = speaker_of(db, forum_id(forum), code)
    if row.state not in OPEN or row.email != message.to_address:
        raise NotFound
    if message.template == ASKED and row.state != Reply.ASKED:
        raise NotFound
    values: dict[str, Any] = {"forum": forum.title.of(lang), "function": row.function.of(lang)}
    if message.template == telling.TEMPLATE:
        values["changes"] = telling.told_in_words(db, forum, code, message.values, lang)
    else:
        values["sessions"] = _sessions(db, forum, code, lang)
    token = speaker_token(settings.secret_key, row.id, row.generation)
    return values, f"{settings.base_url}/{lang}/speaking/{token}", (row.name or row.function).of(lang)


def _sessions(db: Db, forum: Forum, code: str, lang: Lang) -> str:
    """The sessions the organisers have the speaker in, each with role and time; or that they are still to be named."""
    lines = []
    for session in working_copy(db, forum_id(forum)):
        roles = [text_of(lang, f"programme.role.{who.role}", n=1) for who in session.people if who.code == code]
        if roles and not session.cancelled:
            at = moment(session.starts_at, lang, forum.timezone) if session.starts_at else ""
            lines.append(" – ".join(part for part in (session.title.of(lang), ", ".join(roles), at) if part))
    return "\n\n".join(lines) or text_of(lang, "speakers.sessions_open")
