"""A message in its reader's language: subject, plain text and HTML from the same words."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.correspondence.contents import Contents
from app.correspondence.rules.placeholders import fill, named
from app.correspondence.wording import Words
from app.kit.i18n import Lang, text_of, worded, written
from app.kit.templates import render


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a reader gets: the parts of the mail, and both forms in which it leaves."""

    language: Lang
    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    action: str
    link: str
    foot: tuple[str, ...]
    why: str
    opt_out: str
    opt_out_words: str
    text: str
    html: str


def rendered(template: str, lang: Lang, found: Contents, more: Sequence[str] = ()) -> Rendered:
    """The message in words, the organisers' own where there are any; with `more` paragraphs behind them."""
    words, key = _words(template, lang, found), "mail." + template.replace("/", ".")
    subject, paragraphs = " ".join(words.subject.split()), [*words.text.strip().split("\n\n"), *more]
    if found.principal:
        subject = text_of(lang, "mail.for_subject", name=found.principal, subject=subject)
        paragraphs.insert(0, text_of(lang, "mail.for_text", name=found.principal))
    if found.test:
        subject = text_of(lang, "mail.test_subject", subject=subject)
    shown = {
        "paragraphs": tuple(paragraphs),
        "foot": found.foot,
        "why": text_of(lang, found.why),
        "action": text_of(lang, found.action) if found.action else worded(lang, found.wording, f"{key}.action"),
        "greeting": text_of(lang, "mail.greeting", name=found.to_name),
        "link": found.link,
        "subject": subject,
        "opt_out": found.opt_out,
        "opt_out_words": text_of(lang, "mail.opt_out"),
    }
    letter = {**shown, "forum_title": found.forum_title}
    text, html = render(lang, "mail/letter.txt", **letter), render(lang, "mail/letter.html", **letter)
    return Rendered(language=lang, text=text, html=html, **shown)  # type: ignore[arg-type]


def _words(template: str, lang: Lang, found: Contents) -> Words:
    """The words filled in. Own ones that name something this mail has no value for make way for the built-in ones, of
    which a mailing has none."""
    values = {name: written(value, lang) for name, value in found.values.items()}
    own = found.own
    if own is not None and (found.action or {*named(own.subject), *named(own.text)} <= values.keys()):
        return Words(fill(own.subject, values), fill(own.text, values))
    key = "mail." + template.replace("/", ".")
    return Words(*(worded(lang, found.wording, f"{key}.{part}", **found.values) for part in ("subject", "text")))
