"""How it stands with a speaker, and when they cannot come, in words: for the desk's pages and the speaker's own."""

from collections.abc import Sequence

from app.forum.models import Forum
from app.kit.i18n import Lang, day, text_of
from app.programme.rules.speakers import Reply, parts_of
from app.reports.standings import reply_words
from app.web.signs import Label

TONES = {
    Reply.UNASKED: ("still", "–"),
    Reply.ASKED: ("wait", "…"),
    Reply.ACCEPTED: ("good", "✓"),
    Reply.DECLINED: ("bad", "×"),
    Reply.WITHDRAWN: ("still", "×"),
}
"""The colour and the sign of each reply."""


def label(lang: Lang, state: Reply) -> Label:
    """A reply as a sign and words."""
    return Label(*TONES[state], reply_words(lang, state))


def part_choices(lang: Lang, forum: Forum) -> list[tuple[str, str]]:
    """The parts of the forum's days: the key each is kept under, and its words."""
    return [
        (
            key,
            text_of(
                lang, "speakers.part_of_day", day=day(on, lang, "day"), part=text_of(lang, f"speakers.parts.{part}")
            ),
        )
        for on, part, key in parts_of(forum.starts_on, forum.ends_on)
    ]


def away_in_words(lang: Lang, forum: Forum, keys: Sequence[str]) -> list[str]:
    """The parts of days for which a speaker cannot come, in words."""
    return [words for key, words in part_choices(lang, forum) if key in keys]
