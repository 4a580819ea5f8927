"""What a letter says: the values of `templates/print/letter.typ`, for whoever has it printed."""

from typing import Any
from zoneinfo import ZoneInfo

from app.forum.models import Forum
from app.kit.i18n import Lang, day, days, khmer_digits, text_of, worded
from app.kit.printing import can_be_set
from app.registration.lettering import reference
from app.registration.people import shown_institution
from app.registration.rules.wording import wording_of
from app.reports.countries import country_name


def letter_name(forum: Forum, letter: Any) -> str:
    """What a letter's file is called."""
    return f"{forum.slug}-{letter.number:04}-{letter.kind}-{letter.language}.pdf"


def letter_values(forum: Forum, row: Any, category: Any, letter: Any) -> dict[str, Any]:
    """A letter in its own language, every text as it is printed. No visa is promised, and no cost taken on."""
    lang: Lang = "km" if letter.language == "km" else "en"

    def t(name: str, **values: Any) -> str:
        return text_of(lang, f"letters.print.{name}", **values)

    def said(name: str) -> str:
        key = f"letters.print.{letter.kind}.{name}"
        return worded(lang, wording, key, forum=title, name=letter.passport_name)

    wording = wording_of(in_hall=category.in_hall)
    title = forum.title.of(lang)
    # the local day: an instant in the evening of Phnom Penh is another day in UTC
    written = letter.asked_at.astimezone(ZoneInfo(forum.timezone)).date()
    secretariat, number = _secretariat(forum, lang), reference(forum, letter)
    return {
        "lang": lang,
        "title": f"{said('subject')} – {letter.passport_name}",
        "forum": title,
        "label": forum.format_label.of(lang),
        "sender": secretariat,
        "reference_label": t("reference"),
        "reference": number,
        "date": day(written, lang, "full" if lang == "km" else "long"),
        "addressee": said("addressee"),
        "subject": said("subject"),
        "greeting": said("greeting"),
        "before": [said("opening"), _when_and_where(forum, lang)],
        "person": _person(lang, row, category, letter),
        "after": [said("request"), t("no_promise"), t("verify", reference=number)],
        "signed_for": t("signed_for"),
        "signer": t("signer"),
        "foot": f"{forum.short_title.of(lang)} · {secretariat[0]}",
    }


def _when_and_where(forum: Forum, lang: Lang) -> str:
    place = ", ".join(part for part in (forum.venue_name.of(lang), forum.venue_address.of(lang)) if part)
    return text_of(
        lang,
        "letters.print.when",
        dates=days(forum.starts_on, forum.ends_on, lang) or text_of(lang, "forum.dates_open"),
        place=place or text_of(lang, "forum.place_open"),
    )


def _person(lang: Lang, row: Any, category: Any, letter: Any) -> list[tuple[str, str]]:
    """Name and value of each line; a private capacity leaves institution and position out (rules §2)."""
    private = row.attends_as == "private"
    number = letter.passport_number
    lines = {
        "name": letter.passport_name,
        "passport": number,
        "nationality": country_name(letter.nationality, lang),
        "born": day(letter.birth_date, lang, "long") if letter.birth_date else "",
        "institution": shown_institution(row),
        "position": "" if private else row.position_title,
        "category": category.name.of(lang),
        "code": row.code,
    }
    # what somebody wrote in neither Latin nor Khmer letters would be a line of boxes; the name was looked at when given
    printed = {name: value for name, value in lines.items() if name == "name" or can_be_set(value)}
    return [(text_of(lang, f"letters.print.line.{name}"), value) for name, value in printed.items()]


def _secretariat(forum: Forum, lang: Lang) -> list[str]:
    """Name, address and telephone; words that say so while the forum has only the placeholder of its file."""
    told = forum.secretariat or {}
    email = str(told.get("email") or "")
    if not email or email.endswith("@example.org"):  # RFC 2606 §3: an address of documents, which reaches nobody
        return [text_of(lang, "letters.print.secretariat"), text_of(lang, "letters.print.secretariat_open")]
    name = told.get("name") or {}
    phone = str(told.get("phone") or "")
    lines = [str(name.get(lang) or name.get("en") or ""), email, khmer_digits(phone) if lang == "km" else phone]
    return [line for line in lines if line]
