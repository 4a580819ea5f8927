"""From a message of the outbox to a letter that can be delivered."""

from app.correspondence.contents import Contents
from app.correspondence.rendering import rendered
from app.forum.access import INVITED
from app.jobs.enclosures import Brought
from app.kit.i18n import Lang
from app.kit.settings import Settings
from app.mail.delivery import Letter
from app.mail.outbox import Claimed


def writes(message: Claimed) -> bool:
    """Does looking up this message's contents write (a one-time link), and so need the pen?"""
    return message.template in {"accounts/sign_in_link", INVITED}


def letter(message: Claimed, found: Contents, settings: Settings, along: Brought | None = None) -> Letter:
    """Render a message in its language, with what it takes along for a calendar."""
    lang: Lang = "km" if message.language == "km" else "en"
    whole = rendered(message.template, lang, found, along.paragraphs if along else ())
    return Letter(
        message_id=message.message_id,
        sender=settings.mail_from,
        reply_to=found.reply_to,
        to_name=message.to_name if found.test else found.to_name,
        to_address=message.to_address,
        language=lang,
        subject=whole.subject,
        text=whole.text,
        html=whole.html,
        opt_out=found.opt_out,
        invites=along.invites if along else (),
    )
