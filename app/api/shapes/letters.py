"""Mails that were written, the site's messages in a forum's own words, and mailings."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.api.shapes.general import WHEN, example
from app.api.shapes.office import MAIL, MailShape
from app.correspondence.mailing import MailingInput
from app.correspondence.wording import WordsInput

WORDS: dict[str, Any] = {
    "subject_en": "You have a seat",
    "subject_km": "លោកអ្នកមានកន្លែងអង្គុយ",
    "text_en": "A seat at {forum} is yours, {name}.",
    "text_km": "កន្លែងក្នុង {forum} ជារបស់លោកអ្នក {name}។",
}
MAILING: dict[str, Any] = {
    "name": "Arrival",
    "essential": True,
    "subject_en": "When you arrive",
    "subject_km": "ពេលលោកអ្នកមកដល់",
    "text_en": "Dear {name}, somebody meets you at the airport.",
    "text_km": "ជម្រាបជូន {name} នឹងមានអ្នកទទួលនៅព្រលានយន្តហោះ។",
    "audience": "people",
    "standings": ["seated"],
    "country": "FR",
}
MESSAGE: dict[str, Any] = {
    "code": "registration.approved",
    "about": "registration",
    "edition": 1,
    "own": ["en"],
    "placeholders": ["category", "code", "forum", "name"],
    "needed": [],
}
KEPT: dict[str, Any] = {
    "id": 1,
    "edition": 2,
    "name": "Arrival",
    "purpose": "",
    "essential": True,
    "state": "scheduled",
    "created_at": WHEN,
    "send_at": WHEN,
    "ended_at": None,
    "queued": 0,
    "opted_out": 0,
    "left_out": 0,
    "by": "Sokha Meas",
}


class LetterShape(BaseModel):
    """A mail as its reader has it, in plain text; what stands for a link is a sign."""

    language: str
    subject: str
    text: str


class TryShape(BaseModel):
    """A try to hand a mail to a server: what came of it and the server's line."""

    at: datetime
    outcome: str
    said: str


class WholeMailShape(MailShape):
    """A mail with its tries, and as it reads now: null where what it says is no longer so. `moved_to` is the address
    of its reader now, empty where it is the same; `resend_of` the mail that it repeats."""

    model_config = example(
        **MAIL,
        bounce="",
        resend_of=None,
        tries=[],
        moved_to="",
        letter={"language": "km", "subject": "លោកអ្នកមានកន្លែងអង្គុយ", "text": "…"},
    )

    bounce: str
    resend_of: int | None
    tries: list[TryShape]
    moved_to: str
    letter: LetterShape | None


class MessageLine(BaseModel):
    """A message that the site sends by itself; `own` are the languages in which the forum has its own words for it,
    `edition` that of these words, 0 for none. `needed` are placeholders without which it would not say what it is for.
    """

    model_config = example(**MESSAGE)

    code: str
    about: str
    edition: int
    own: list[str]
    placeholders: list[str]
    needed: list[str]


class MessageShape(MessageLine):
    """A message with the forum's own words, as they would be sent, empty in a language that has none; and with the
    built-in ones."""

    model_config = example(
        **MESSAGE,
        words={**WORDS, "subject_km": "", "text_km": ""},
        built_in=WORDS,
    )

    words: WordsInput
    built_in: WordsInput


class EditionShape(BaseModel):
    """Words that a message had, who wrote them and when; null where nobody is known any more."""

    model_config = example(edition=1, words=WORDS, by="Sokha Meas", written_at=WHEN)

    edition: int
    words: WordsInput
    by: str | None
    written_at: datetime


class ExampleShape(BaseModel):
    """How a message reads in each language, and the code of whoever it is made for: empty for a made-up reader."""

    model_config = example(
        reader="K3TP9QA", letters=[{"language": "en", "subject": "You have a seat", "text": "Dear Vanna Sok, …"}]
    )

    reader: str
    letters: list[LetterShape]


class MailingLine(BaseModel):
    """A mailing and how far it has come: `queued` were written to, `opted_out` want no such mail, `left_out` were
    written to already under the same name. `state` is draft, scheduled, sending, sent or stopped."""

    model_config = example(**KEPT)

    id: int
    edition: int
    name: str
    purpose: str
    essential: bool
    state: str
    created_at: datetime
    send_at: datetime | None
    ended_at: datetime | None
    queued: int
    opted_out: int
    left_out: int
    by: str | None


class MailingShape(MailingLine):
    """A mailing as it would be sent again, with how its mails stand: how many in each state, and `bounced` of those
    that came back."""

    model_config = example(
        **KEPT,
        mailing=MAILING,
        mails={},
    )

    mailing: MailingInput
    mails: dict[str, int]


class MovedShape(BaseModel):
    """How a mailing stands after a deed."""

    model_config = example(id=1, edition=2, state="scheduled")

    id: int
    edition: int
    state: str


class ReachShape(BaseModel):
    """Whom a mailing means now, and how it reads for one of them in each language. `people` would be written to,
    `opted_out` more want no such mail."""

    model_config = example(
        people=12,
        opted_out=1,
        by_language={"en": 12},
        letters=[{"language": "en", "subject": "When you arrive", "text": "Dear Vanna Sok, …"}],
    )

    people: int
    opted_out: int
    by_language: dict[str, int] = Field(description="How many read each language.")
    letters: list[LetterShape]


class MeantShape(BaseModel):
    """Somebody whom a mailing means now; `subject` is what a mail to them is about."""

    model_config = example(
        subject="registration:K3TP9QA", name="Vanna Sok", email="vanna@university.example", language="km"
    )

    subject: str
    name: str
    email: str
    language: str
