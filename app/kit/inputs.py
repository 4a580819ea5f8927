"""What people may send, in small: lines, paragraphs, texts in both languages; and faults in place of tracebacks."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    NaiveDatetime,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from app.kit.errors import Fault, Invalid
from app.kit.i18n import Bilingual, latin_digits

Model = TypeVar("Model", bound=BaseModel)

# Bidirectional overrides and isolates can make a name read as another; zero-width space and joiners are Khmer practice.
# U+FFFD is what is left of bytes that were no letters.
# Written as ranges: control characters (Cc), halves of letters (Cs) and these, found in one go however long a text is.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]")


class Input(BaseModel):
    """The base of every input: unknown fields are refused, nothing is guessed from another type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _clean(text: str, allowed: str = "") -> str:
    if any(found.group() not in allowed for found in _UNWANTED.finditer(text)):
        raise PydanticCustomError("control_characters", "control characters")
    return text


# An encoded word (RFC 2047) reads as other text in a mail's header, line breaks and all; nobody is called so.
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bq]\?.*\?=", re.IGNORECASE)


def _line(text: str) -> str:
    if _ENCODED_WORD.search(text):
        raise PydanticCustomError("control_characters", "control characters")
    return _clean(text).strip()


def _filled(text: str) -> str:
    if not (line := _line(text)):
        raise PydanticCustomError("missing", "missing")
    return line


def _paragraphs(text: str) -> str:
    return _clean(text.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n\t").strip()


def _none_if_empty(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _short(text: Bilingual) -> Bilingual:
    if max(len(text.en), len(text.km)) > 1000:
        raise PydanticKnownError("string_too_long", {"max_length": 1000})
    return text


def _both(text: Bilingual) -> Bilingual:
    if not text.en.strip() or not text.km.strip():
        raise PydanticCustomError("both_languages", "both languages")
    return Bilingual(_clean(text.en, "\n\t").strip(), _clean(text.km, "\n\t").strip())


def _either(text: Bilingual) -> Bilingual:
    if not text.en.strip() and not text.km.strip():
        raise PydanticCustomError("missing", "missing")
    return Bilingual(_clean(text.en, "\n\t").strip(), _clean(text.km, "\n\t").strip())


Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_line)]
"""One line, kept as typed but for white space around it; no control or direction-changing characters, no encoded
word of a mail's header."""

Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_paragraphs)]
"""Several lines, kept as typed."""

ShortText = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_paragraphs)]
"""A few lines, kept as typed."""

Filled = Annotated[str, StringConstraints(max_length=200), AfterValidator(_filled)]
"""A line that may not be empty."""

Words = Annotated[Bilingual, AfterValidator(_both)]
"""A text in both languages, both there."""

EitherWords = Annotated[Bilingual, AfterValidator(_either)]
"""A text in both languages or in one of them; the other's readers see that one."""

ShortWords = Annotated[Bilingual, AfterValidator(_both), AfterValidator(_short)]
"""The same of at most a thousand letters each: what a form at the desk may send."""

Optional = BeforeValidator(_none_if_empty)
"""An empty field means "not given"."""


class Chosen:
    """Marks a text that is chosen from a list and not typed, so that an empty one is not "in the wrong form"."""


def _day(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return date.fromisoformat(latin_digits(text).strip()) if text.strip() else None
    except ValueError:
        raise PydanticCustomError("not_a_day", "not a day") from None


def is_of_this_age(day: date) -> bool:
    """Is it a day, or a time of one, that other zones and the days around it have room for?"""
    return 1900 < day.year < 2200


def _known_day(day: date | None) -> date | None:
    if day is not None and not is_of_this_age(day):
        raise PydanticCustomError("not_a_day", "not a day of this age")
    return day


KnownDay = Annotated[date | None, AfterValidator(_known_day)]
"""A day of this age, or none."""

Day = Annotated[KnownDay, BeforeValidator(_day)]
"""The same as a date field sends it, in the digits of either language; None for nothing."""

GivenDay = Annotated[date, BeforeValidator(_day)]
"""The same where one is needed."""


def _of_this_age(at: datetime) -> datetime:
    if not is_of_this_age(at):
        raise PydanticCustomError("not_a_moment", "not an instant of this age")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_of_this_age), AfterValidator(lambda at: at.astimezone(UTC))]
"""An instant, sent with its zone and kept in UTC."""

LocalTime = Annotated[NaiveDatetime, AfterValidator(_of_this_age)]
"""A time of day on a day, where the zone is known from elsewhere."""


def parse(model: type[Model], sent: Mapping[str, Any]) -> Model:
    """The input, validated. Raises Invalid with one fault per field, named by its dotted path; where nothing was
    chosen of a list or a few, that is the fault."""
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        faults = (_chosen_nothing(model, sent, fault) for fault in faults_of(error))
        raise Invalid(tuple(faults)) from None


def _chosen_nothing(model: type[BaseModel], sent: Mapping[str, Any], fault: Fault) -> Fault:
    field = model.model_fields.get(fault.field)
    if field is None or sent.get(fault.field):
        return fault
    chosen = get_origin(field.annotation) is Literal or any(isinstance(mark, Chosen) for mark in field.metadata)
    return Fault(fault.field, "not_chosen") if chosen else fault


_CODES = {
    "missing": "missing",
    "extra_forbidden": "not_known_here",
    "invalid_key": "not_known_here",
    "unexpected_keyword_argument": "not_known_here",
    "string_too_short": "missing",
    "string_too_long": "too_long",
    "literal_error": "not_a_choice",
    "enum": "not_a_choice",
    "value_error": "not_an_email",
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
    "string_pattern_mismatch": "not_this_form",
    "list_type": "not_a_list",
    "tuple_type": "not_a_list",
    "model_type": "not_a_table",
    "dataclass_type": "not_a_table",
    "string_type": "not_a_text",
    "string_unicode": "control_characters",
    "too_long": "too_many_parts",
}
_VALUES = {"max_length": "most", "min_length": "least", "ge": "least", "gt": "least", "le": "most", "lt": "most"}


def faults_of(error: ValidationError) -> list[Fault]:
    """Pydantic's errors as our own codes and values; what was typed is never repeated in them."""
    return [fault_of(item) for item in error.errors(include_url=False, include_input=False)]


def fault_of(item: Mapping[str, Any]) -> Fault:
    """One of them, as `errors()` tells it; the field is its dotted path."""
    kind = item["type"]
    code = _CODES.get(kind, kind)
    if kind.startswith(("int_", "float_", "decimal_")):
        code = "not_a_number"
    elif kind.startswith(("date_", "datetime_", "timezone_")):
        code = "not_a_date"
    elif kind.startswith("bool_"):
        code = "not_yes_or_no"
    values = {_VALUES[k]: v for k, v in (item.get("ctx") or {}).items() if k in _VALUES}
    if code == "not_a_choice":
        values = {"choices": str((item.get("ctx") or {}).get("expected", ""))}
    return Fault(".".join(str(part) for part in item["loc"]), code, values)
