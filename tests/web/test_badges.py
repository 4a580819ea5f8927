"""Whoever works at the forum, and takes no seat in the hall, is told of a badge and of no seat."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.db import table
from app.kit.i18n import catalogue, worded
from app.registration import applying, reviewing
from app.registration.lettering import letter_of
from app.registration.models import Application
from app.registration.queries import own_registration
from app.reports.letters import letter_values
from tests.cast import CHAN, NOW, SLUG, VANNA, fields, the_forum
from tests.doors import Doors, Standing, open_doors

SEATS = {"en": r"\b[Ss]eat(s|ed)?\b", "km": "កៅអី"}
OF_THE_HALL = re.compile(
    "no seat in the hall|a seat in the hall|មិនប្រើកៅអីក្នុងសាល|មានកៅអីក្នុងសាល|seats and meals|កៅអី និងអាហារ"
    "|used for seats, badges and lists|សម្រាប់កៅអី ប័ណ្ណ និងបញ្ជី"
)
"""What may be said of seats to whoever has none: that, who looks after guests, the consent's words, kept as given."""


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("badges"), forum_file, FORM_MIN_SECONDS="0") as found:
        found.enrol("owner", site_owner=True)
        yield found


def bring(doors: Doors, one: Standing, **values: Any) -> None:
    change = update(table(Application)).where(table(Application).c.id == one.id).values(**values)
    doors.write(SLUG, lambda db: db.execute(change))


def speaks_of_seats(lang: str, html: str) -> list[str]:
    """Where the text of a page speaks of seats."""
    main = re.sub(r"<[^>]+>", " ", html.split("<main")[1].split("</main>", maxsplit=1)[0])
    said = OF_THE_HALL.sub("", " ".join(main.split()))
    return [said[max(0, found.start() - 60) : found.end() + 40] for found in re.finditer(SEATS[lang], said)]


ENDED = {"ended_at": NOW, "live_key": None}
STATES: list[dict[str, Any]] = [
    {"state": "seated", "confirmed_at": NOW},
    {"state": "seated"},
    {"state": "offered"},
    {"state": "offered", "offer_until": NOW},
    {"state": "waiting"},
    {"state": "awaiting"},
    {"state": "cancelled", **ENDED},
    {"state": "declined", **ENDED},
    {"state": "declined", "turned_down": True, **ENDED},
    {"state": "expired", **ENDED},
]


@pytest.mark.parametrize("lang", ["en", "km"])
@pytest.mark.parametrize("values", STATES, ids="-".join)
def test_every_page_of_somebody_of_the_press_speaks_of_a_badge(doors: Doors, lang: str, values: dict[str, Any]):
    one = doors.register("PRESS")
    bring(doors, one, **values)
    for page in ("", "/cancellation", "/erasure", "/details", "/sessions", "/letters", "/companions"):
        address = f"/{lang}/my/{one.secret}{page}"
        assert not speaks_of_seats(lang, doors.get(address).text), address
    done = {"offered": "turned_down", "seated": "accepted"}.get(values["state"], "cancelled")
    assert not speaks_of_seats(lang, doors.get(f"/{lang}/my/{one.secret}?done={done}").text)


def test_the_check_of_words_can_fail(doors: Doors):
    one = doors.register("STU")
    for lang in ("en", "km"):
        assert speaks_of_seats(lang, doors.get(f"/{lang}/my/{one.secret}").text)


def test_a_notice_and_a_refusal_on_the_page_speak_of_the_badge(doors: Doors):
    one = doors.register("PRESS")
    bring(doors, one, state="declined", turned_down=True, **ENDED)
    told = doors.get(f"/en/my/{one.secret}?done=turned_down").text
    assert "You have declined the badge." in told
    two = doors.register("PRESS")
    page = f"/en/my/{two.secret}"
    refused = doors.post(f"{page}/refusal", "", {"form": doors.seal(page)})
    assert refused.status_code == 422
    assert "This badge is not on offer any more." in refused.text


@pytest.mark.parametrize("lang", ["en", "km"])
def test_the_form_for_the_press_and_its_answer_speak_of_a_badge(doors: Doors, lang: str):
    address = f"/{lang}/{SLUG}/register/press"
    assert not speaks_of_seats(lang, doors.get(address).text)
    typed = fields(CHAN, email=f"{lang}@paper.example", for_whom="self")
    answer = doors.post(address, "", {"form": doors.seal(address), **typed, "category": "PRESS"})
    assert answer.status_code == 200, answer.text
    assert not speaks_of_seats(lang, answer.text)


def test_where_one_chooses_a_group_badges_are_available_where_badges_are_given(doors: Doors):
    others = doors.get(f"/en/{SLUG}/register").text.split('id="others"')[1]
    assert "Badges available" in others
    assert "Seats available" not in others
    assert "Seats available" in doors.get(f"/en/{SLUG}/register").text


@pytest.mark.parametrize("reserves", ["", "yes"])
@pytest.mark.parametrize("lang", ["en", "km"])
def test_an_invited_driver_is_kept_a_badge(doors: Doors, lang: str, reserves: str):
    invited = doors.invite("DRV", reserves=reserves)
    for page in ("", "/registration"):
        address = f"/{lang}/invitations/{invited.secret}{page}"
        assert not speaks_of_seats(lang, doors.get(address).text), address


@pytest.mark.parametrize("lang", ["en", "km"])
def test_no_mail_to_those_with_a_badge_speaks_of_a_seat(lang: Any):
    seats = re.compile(SEATS[lang])
    keys = [key for key in catalogue(lang) if re.match(r"mail\.(registration|delegation)\.\w+\.", key)]
    assert len(keys) > 60
    wrong = []
    for key in keys:
        names = re.findall(r"\{(\w+)\}", str(catalogue(lang)[key]))
        said = worded(lang, "badges", key, **dict.fromkeys(names, "…"))
        if seats.search(OF_THE_HALL.sub("", said)):
            wrong.append(key)
    assert not wrong


@pytest.mark.parametrize("kind", ["visa", "invitation"])
def test_a_letter_for_somebody_of_the_press_confirms_a_badge(doors: Doors, kind: str):
    one = doors.register("PRESS", country="FR")
    by = Actor.operator()

    def deed(db: Any) -> None:
        reviewing.approve(db, by, the_forum(db), one.code, now=NOW)
        applying.confirm(db, by, the_forum(db), one.code, now=NOW)

    doors.write(SLUG, deed)
    code = doors.letter(one, kind=kind)
    assert doors.get(f"/en/my/{one.secret}/letters/{code}.pdf").status_code == 200

    def read(db: Any) -> str:
        own = own_registration(db, one.secret)
        values = letter_values(own.forum, own.row, own.category, letter_of(db, own.row.id, code))
        return str(values["before"][0])

    said = doors.site.database.read(read)
    assert "confirmed badge" in said or "A badge is confirmed" in said
    assert "seat" not in OF_THE_HALL.sub("", said)


def test_the_desk_says_that_approving_somebody_of_the_press_gives_a_badge(doors: Doors):
    badge, seat = doors.register("PRESS"), doors.register("GOV")
    bring(doors, seat, state="awaiting")
    assert "Approving gives a badge." in doors.get(f"/desk/{SLUG}/registrations/{badge.code}", "owner").text
    assert "Approving gives a badge." not in doors.get(f"/desk/{SLUG}/registrations/{seat.code}", "owner").text


def test_who_sits_in_the_hall_is_told_of_a_seat_as_before(doors: Doors):
    one = doors.confirmed("STU", family_name=VANNA.family_name)
    assert "You have a seat" in doors.get(f"/en/my/{one.secret}").text
