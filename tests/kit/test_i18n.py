from datetime import UTC, date, datetime

import pytest
from markupsafe import Markup
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select, text

from app.kit import i18n
from app.kit.i18n import LANGS, Bilingual, BilingualText, text_of

ZONE = "Asia/Phnom_Penh"
OPENING = datetime(2027, 3, 23, 1, 30, tzinfo=UTC)


def test_a_text_falls_back_to_the_other_language():
    assert [Bilingual("hall", "សាលា").of(lang) for lang in LANGS] == ["hall", "សាលា"]
    assert [Bilingual("hall", "").of(lang) for lang in LANGS] == ["hall", "hall"]
    assert not Bilingual()


TITLED = Table(
    "titled", MetaData(), Column("id", Integer, primary_key=True), Column("title", BilingualText(), nullable=True)
)
TITLES = [Bilingual("hall", "សាលា"), Bilingual("hall", "សាលា"), Bilingual(), None, Bilingual("“½”", "x" * 5000)]


@pytest.mark.parametrize("url", ["sqlite://", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_was_written_in_both_languages_is_read_as_it_was(url: str, request: pytest.FixtureRequest):
    engine = create_engine(request.getfixturevalue("postgres_url") if url == "postgres" else url)
    with engine.begin() as connection:
        TITLED.create(connection)
        connection.execute(insert(TITLED), [{"id": at, "title": title} for at, title in enumerate(TITLES)])
        # as another program may have written it: in its own way, or no value at all
        odd = [(10, '{"km":"សាលា", "en":"hall"}'), (11, '{"en": "\\u00e9", "km": ""}'), (12, None), (13, "null")]
        for at, value in odd:
            connection.execute(text("INSERT INTO titled VALUES (:at, :value)"), {"at": at, "value": value})
        for _ in range(2):
            read = connection.execute(select(TITLED.c.title).order_by(TITLED.c.id)).scalars().all()
            assert read == [*TITLES, Bilingual("hall", "សាលា"), Bilingual("é", ""), None, None]
    engine.dispose()


def test_the_official_khmer_date_names_each_part():
    assert i18n.day(date(2027, 3, 23), "km") == "ថ្ងៃអង្គារ ទី២៣ ខែមីនា ឆ្នាំ២០២៧"
    assert i18n.day(date(2027, 3, 23), "en") == "Tuesday 23 March 2027"


@pytest.mark.parametrize("style", ["full", "long", "day", "short", "weekday"])
@pytest.mark.parametrize("lang", LANGS)
def test_every_style_of_a_date_is_written(lang, style: str):
    assert i18n.day(date(2027, 3, 23), lang, style)


def test_an_instant_is_read_in_its_zone():
    assert i18n.clock_time(OPENING, "en", ZONE) == "08:30"
    assert i18n.clock_time(OPENING, "km", ZONE) == "០៨:៣០"
    assert i18n.day(datetime(2027, 3, 22, 20, tzinfo=UTC), "en", "long", ZONE) == "23 March 2027"
    assert "08:30" in i18n.moment(OPENING, "en", ZONE)


def test_numbers_have_the_readers_digits():
    assert (i18n.number(1250, "en"), i18n.number(1250, "km")) == ("1,250", "១.២៥០")
    assert i18n.latin_digits(i18n.khmer_digits("Room 12")) == "Room 12"


def test_texts_take_values_and_plurals():
    assert text_of("en", "web.form.faults", n=1) == "One thing needs your attention"
    assert text_of("en", "web.form.faults", n=3) == "3 things need your attention"
    assert "៣" in text_of("km", "web.form.faults", n=3)


def test_a_value_that_is_markup_leaves_the_rest_escaped():
    shown = text_of("en", "web.desk.signed_in", name=Markup("<b>Sokha</b>"))
    assert shown == Markup("Signed in: <b>Sokha</b>")
    assert not isinstance(text_of("en", "web.desk.signed_in", name="<b>"), Markup), "the template escapes it"


def test_an_unknown_text_is_an_error_and_not_a_blank():
    with pytest.raises(KeyError):
        text_of("en", "nothing.of.this.name")


def test_the_other_language_is_the_other_one():
    assert [i18n.other(lang) for lang in LANGS] == ["km", "en"]
