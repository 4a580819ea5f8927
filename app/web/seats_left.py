"""How many seats are left, in the words of the desk's lists and sentences."""

from app.kit.i18n import Lang, text_of
from app.registration.quotas import is_unlimited


def left_words(lang: Lang, left: int) -> str:
    """Such as "3 left", or that a class of badges has no limit."""
    return text_of(lang, "desk.act.no_limit") if is_unlimited(left) else text_of(lang, "desk.act.left", n=left)
