"""A delegate's details in words: as a list is about to write them, and as a focal point may read them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.kit.i18n import Lang, text_of
from app.registration.delegation_inputs import DelegateInput
from app.web.countries import country_name

LABELS = {"goes_to": "list.email"}
"""What stands under another key of the catalogue than a column's."""
LANGUAGES = {"name_km": "km"}


class Detail(NamedTuple):
    """One thing that is written of a person: what it is, what it says, and the language it is in where that is
    certain."""

    label: str
    words: str
    language: str = ""


def to_write(lang: Lang, delegation: Any, person: DelegateInput) -> list[Detail]:
    """All that a list is about to write of one person, in the order of its columns; what is empty is left out.

    Where the list says nothing of mails, what will hold stands there: the focal point's address and language.
    """
    language = person.language or delegation.language
    return _told(
        lang,
        [
            *_names(person),
            ("position_title", person.position_title),
            ("institution", person.institution),
            ("country", country_name(person.country, lang)),
            ("goes_to", person.email or text_of(lang, "delegations.list.to_focal")),
            ("phone", person.phone),
            ("language", text_of(lang, f"desk.language.{language}")),
            ("attends_as", text_of(lang, f"registration.form.{person.attends_as}")),
        ],
    )


def to_read(lang: Lang, row: Any) -> list[Detail]:
    """What a focal point may read of somebody who has an address of their own: who comes, and how to reach them.

    No institution in a private capacity (rules §2), and no telephone where an assistant registered the person: that
    may be the assistant's, who is nobody of the delegation.
    """
    private, assisted = row.attends_as == "private", bool(row.assistant_name)
    return _told(
        lang,
        [
            *_names(row),
            ("position_title", row.position_title),
            ("institution", "" if private else row.institution),
            ("email", "" if assisted else row.email),
            ("phone", "" if assisted else row.phone),
            ("attends_as", text_of(lang, f"registration.form.{row.attends_as}")),
        ],
    )


def _names(person: Any) -> list[tuple[str, str]]:
    titles = ", ".join(person.titles)
    names = ("family_name", "given_name", "name_km", "display_name")
    return [("titles", titles), *((name, getattr(person, name)) for name in names)]


def _told(lang: Lang, details: Iterable[tuple[str, str]]) -> list[Detail]:
    return [
        Detail(text_of(lang, f"delegations.{LABELS.get(field, f'column.{field}')}"), words, LANGUAGES.get(field, ""))
        for field, words in details
        if words
    ]
