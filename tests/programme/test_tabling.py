"""The programme as a table: sent back as it is it changes nothing, and else just what was edited, as edits."""

import io
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.forum.queries import rooms_of as rooms_there
from app.kit.db import Database, Db
from app.kit.errors import Conflict, Forbidden, Refused
from app.kit.i18n import Bilingual, text_of
from app.kit.pen import Pen
from app.kit.sheets import Rows, as_text, read_file, read_text, workbook
from app.programme.altering import Altered, foresee
from app.programme.drafting import states_of
from app.programme.inputs import AppearanceInput
from app.programme.publishing import publish
from app.programme.queries import published
from app.programme.remembering import made_together, recent
from app.programme.reverting import before_together, take_back_together
from app.programme.tabling import COLUMNS, headings, import_table, look_at, rows_of
from app.reports.tables import as_csv
from tests.cast import DARA, NOW, SLUG, make_actor, the_forum
from tests.programme.test_drafting import put as load_talks
from tests.programme.test_drafting import talk
from tests.programme.test_editing import timed

OPERATOR = Actor.operator()


@pytest.fixture
def forum(db: Db) -> Forum:
    """The real forum, its working copy two talks in two rooms at the same time."""
    found = the_forum(db)
    load_talks(db, found, timed("T-01", room="mekong"), timed("T-02", room="bassac"))
    return found


def table(*rows: dict[str, str]) -> Rows:
    """A table with the columns that these rows have."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [(1, names), *((number, [row.get(name, "") for name in names]) for number, row in enumerate(rows, 2))]


def do(db: Db, forum: Forum, rows: Rows, **options: Any) -> Altered:
    seen = look_at(db, forum, rows)
    assert seen.alteration is not None, seen.faults
    return import_table(db, OPERATOR, forum, rows, **{"mark": seen.alteration.mark, "now": NOW, **options})


def faults(db: Db, forum: Forum, *rows: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"{one.letter}{one.row}", one.fault.code) for one in look_at(db, forum, table(*rows)).faults]


def drafts(db: Db, forum: Forum) -> dict[str, Any]:
    return {state.draft.code: state.draft for state in states_of(db, forum_id(forum)).values()}


WORDS_OF_TALKS = {"title_en": "A talk", "title_km": "បាឋកថា"}
NEW = {"code": "T-09", "type": "panel", "title_en": "One more", "title_km": "មួយទៀត"}


# ---- sent back as it is


def hard_to_keep(db: Db) -> Forum:
    """Sessions with everything that a table might lose: formulas, quotes, lines, the order of a cast, a night."""
    found = the_forum(db)
    words = ("=1+1", "'=quoted", "''-twice", "a\nb\n\nc", '"quoted", and; more | signs', "-", "@home", "+855")
    sessions = [
        timed(f"T-{number:02d}", start=number * 60, abstract=Bilingual(word, f"{word} ខ្មែរ"))
        for number, word in enumerate(words, 1)
    ]
    cast = (("the-speaker", "speaker"), ("the-chair", "chair"), ("the-chair", "speaker"))
    people = tuple(AppearanceInput(speaker=who, role=role) for who, role in cast)  # type: ignore[arg-type]
    night = {"starts_at": datetime(2027, 3, 23, 16, tzinfo=UTC), "ends_at": datetime(2027, 3, 23, 18, 30, tzinfo=UTC)}
    sessions += [talk("N-01", people=people, **night), talk("N-02", cancelled=True, attribution="CHR")]
    load_talks(db, found, *sessions)
    return found


@pytest.mark.parametrize("kind", ["csv", "xlsx", "pasted"])
@pytest.mark.parametrize("which", ["the real programme", "hard to keep"])
def test_a_table_that_is_sent_back_as_it_is_changes_nothing(db: Db, kind: str, which: str):
    forum = hard_to_keep(db) if which == "hard to keep" else the_forum(db)
    rows = rows_of(db, forum)
    if kind == "csv":
        sent = read_file(as_csv(headings(), rows))
    elif kind == "xlsx":
        sent = read_file(workbook(headings(), rows, "Programme"))
    else:
        sent = read_text(as_text(read_file(as_csv(headings(), rows))).replace("\n", "\r\n"))
    seen = look_at(db, forum, sent)
    assert seen.faults == ()
    assert seen.alteration is not None
    assert (seen.alteration.wanted, seen.alteration.untouched != ()) == ((), True)
    assert len(seen.wanted) == len(rows)


def test_no_cell_of_it_is_a_formula(db: Db):
    forum = hard_to_keep(db)
    cells = [cell for row in rows_of(db, forum) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_what_was_edited_in_a_spreadsheet_and_nothing_else_is_changed(db: Db):
    forum = hard_to_keep(db)
    before = drafts(db, forum)
    rows = rows_of(db, forum)
    place = COLUMNS.index("title_en")
    edited = [[*row[:place], "Another title", *row[place + 1 :]] if row[0] == "N-01" else row for row in rows]
    do(db, forum, read_file(as_csv(headings(), edited)))
    after = drafts(db, forum)
    assert after.pop("N-01").title == Bilingual("Another title", "បាឋកថា")
    assert {code: draft for code, draft in before.items() if code != "N-01"} == after


# ---- what a row says


def test_a_row_makes_changes_and_cancels_and_what_is_not_named_stays(db: Db, forum: Forum):
    rows = table(
        {"code": "T-01", "type": "panel", "title_en": "Renamed", "title_km": "ប្ដូរឈ្មោះ", "cancelled": "yes"},
        {**NEW, "cancelled": ""},
    )
    seen = look_at(db, forum, rows)
    assert seen.alteration is not None
    assert "T-02" in seen.alteration.untouched
    done = do(db, forum, rows)
    found = drafts(db, forum)
    assert done.sessions == 2
    assert (found["T-01"].title.en, found["T-01"].cancelled, found["T-01"].room) == ("Renamed", True, "mekong")
    assert (found["T-09"].title.km, found["T-09"].starts_at, found["T-09"].people) == ("មួយទៀត", None, ())
    assert found["T-02"] == timed("T-02", room="bassac")


def test_names_in_either_language_and_times_of_the_forums_clocks_are_read(db: Db, forum: Forum):
    names = {room.code: room.name.km for room in rooms_there(db, forum_id(forum))}
    kind, khmer = (text_of("km", f"programme.{word}") for word in ("type.roundtable", "language.km"))
    row = {**NEW, "code": "t-09", "type": kind, "room": names["mekong"], "date": "23/3/2027", "start": "៩:00"}
    row |= {"end": "10:30 AM", "spoken": f"English; {khmer}", "attribution": "chatham house rule", "objectives": "2, ១"}
    do(db, forum, table({**row, "chair": "Chair", "speakers": "the-speaker"}), reason="As arranged")
    found = drafts(db, forum)["T-09"]
    assert (found.type, found.room, found.spoken) == ("roundtable", "mekong", ("en", "km"))
    assert found.starts_at == datetime(2027, 3, 23, 2, tzinfo=UTC)
    assert found.ends_at == datetime(2027, 3, 23, 3, 30, tzinfo=UTC)
    assert (found.attribution, found.objectives) == ("CHR", (2, 1))
    assert [(part.speaker, part.role) for part in found.people] == [("the-chair", "chair"), ("the-speaker", "speaker")]


def test_days_and_hours_are_read_from_cells_that_hold_days_and_hours(db: Db, forum: Forum):
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["code", "date", "start", "end", "objectives"])
    sheet.append(["T-01", date(2027, 3, 24), time(9, 30), datetime(2027, 3, 24, 11), 3])  # noqa: DTZ001 - as a cell is
    written = io.BytesIO()
    book.save(written)
    do(db, forum, read_file(written.getvalue()))
    found = drafts(db, forum)["T-01"]
    assert found.starts_at == datetime(2027, 3, 24, 2, 30, tzinfo=UTC)
    assert found.ends_at == datetime(2027, 3, 24, 4, tzinfo=UTC)
    assert found.objectives == (3,)


def test_a_row_without_a_code_is_offered_the_next_one_of_its_day(db: Db, forum: Forum):
    words = {"title_en": "One more", "title_km": "មួយទៀត", "type": "panel"}
    timed_row = {**words, "date": "2027-03-23", "start": "16:00", "end": "17:00"}
    seen = look_at(
        db, forum, table(timed_row, {**words, "attribution": "CLO"}, timed_row | {"start": "15:00", "end": "15:30"})
    )
    assert [(one.after.code, one.notes[0].code) for one in seen.wanted if one.after] == [
        ("D1-14", "code_suggested"), ("C-02", "code_suggested"), ("D1-15", "code_suggested"),
    ]  # fmt: skip


def test_what_is_wrong_is_told_by_row_and_column_and_nothing_is_done(db: Db, forum: Forum):
    assert faults(
        db,
        forum,
        {**NEW, "room": "attic", "date": "", "start": "9", "end": "", "objectives": "77", "title_km": ""},
        {"code": "T-01", "type": "panel", "title_en": "=1+1", "title_km": "x"},
        {"code": "T-01", "title_en": "again", "title_km": "x"},
        {**NEW, "code": "bad code!", "date": "2027-03-23", "start": "soon", "end": "10:00"},
        {**NEW, "code": "T-10", "type": "", "title_en": "a\u202eb"},
    ) == [
        ("D2", "both_languages"), ("E2", "not_known_word"), ("I2", "not_known_word"), ("F2", "missing"),
        ("H2", "missing"), ("C3", "formula"), ("A4", "twice_in_table"), ("G5", "not_an_hour"), ("B6", "missing"),
    ]  # fmt: skip
    assert faults(db, forum, {**NEW, "code": "bad code!"}, {**NEW, "title_en": "a\u202eb"}) == [
        ("A2", "not_this_form"), ("C3", "control_characters"),
    ]  # fmt: skip
    with pytest.raises(Refused, match="table_faulty"):
        import_table(db, OPERATOR, forum, table({**NEW, "room": "attic"}), mark="x", now=NOW)


def test_a_text_in_one_language_alone_is_a_fault_beside_the_other(db: Db, forum: Forum):
    assert faults(db, forum, {**NEW, "abstract_en": "Half", "abstract_km": ""}) == [("F2", "both_languages")]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([(1, ["what", "ever"]), (2, ["x", "y"])], "table_no_header"),
        ([(1, ["code", "Code"]), (2, ["x", "y"])], "table_column_twice"),
        ([(1, ["code", "room"])], "table_empty"),
    ],
)
def test_what_is_no_table_of_sessions_is_refused(db: Db, forum: Forum, rows: Rows, code: str):
    with pytest.raises(Refused, match=code):
        look_at(db, forum, rows)


# ---- done just as it was looked at


def test_whatever_was_edited_meanwhile_is_looked_at_again(db: Db, forum: Forum):
    rows = table({"code": "T-01", "room": "tonle-sap"})
    seen = look_at(db, forum, rows).alteration
    assert seen is not None
    do(db, forum, table({"code": "T-02", "type": "keynote"}))
    import_table(db, OPERATOR, forum, rows, mark=seen.mark, now=NOW)
    again = look_at(db, forum, table({"code": "T-01", "room": "mekong"})).alteration
    assert again is not None
    do(db, forum, table({"code": "T-01", "type": "keynote"}))
    with pytest.raises(Conflict, match="working_copy_changed"):
        import_table(db, OPERATOR, forum, table({"code": "T-01", "room": "mekong"}), mark=again.mark, now=NOW)
    assert drafts(db, forum)["T-01"].room == "tonle-sap"


def test_nothing_different_is_no_edit(db: Db, forum: Forum):
    with pytest.raises(Refused, match="nothing_differs"):
        do(db, forum, table({"code": "T-01", "room": "mekong"}))


def test_hard_conflicts_that_would_come_are_shown_and_need_a_reason_each_keeps(db: Db, forum: Forum):
    rows = table({"code": "T-02", "room": "mekong"})
    seen = look_at(db, forum, rows).alteration
    assert seen is not None
    assert [(one.kind.value, one.codes) for one in seen.found] == [("room_taken", ("T-01", "T-02"))]
    with pytest.raises(Refused, match="new_conflicts"):
        do(db, forum, rows)
    do(db, forum, rows, reason="One hall, two halves")
    seen = look_at(db, forum, table({"code": "T-02", "type": "keynote"})).alteration
    assert seen is not None
    assert seen.found == (), "what has a reason is not asked for again"


def test_a_closed_session_that_would_be_missed_is_refused(db: Db, forum: Forum):
    with pytest.raises(Refused, match="code_gap"):
        do(db, forum, table({"code": "T-01", "attribution": "CLO"}))


def test_every_session_has_its_edit_and_all_are_taken_back_together_but_what_was_edited_since(db: Db, forum: Forum):
    before = drafts(db, forum)
    done = do(
        db,
        forum,
        table(
            {"code": "T-01", "type": "keynote", **WORDS_OF_TALKS},
            {"code": "T-02", "type": "keynote", **WORDS_OF_TALKS},
            NEW,
        ),
    )
    edits = made_together(db, forum_id(forum), done.number)
    assert [(edit.kind, edit.code, edit.edition) for edit in edits] == [
        ("imported", "T-01", 2), ("imported", "T-02", 2), ("imported", "T-09", 1),
    ]  # fmt: skip
    fact = history(db, SLUG, f"forum:{SLUG}")[-1]
    assert (fact.kind, fact.after) == ("programme.imported", {"sessions": 3, "number": done.number})
    do(db, forum, table({"code": "T-02", "type": "plenary"}))
    back = before_together(db, forum, done.number)
    assert back.since == ("T-02",)
    seen = foresee(db, forum, back.wanted)
    take_back_together(db, OPERATOR, forum, done.number, mark=seen.mark, now=NOW)
    now = drafts(db, forum)
    assert (now["T-01"], now["T-02"].type, "T-09" in now) == (before["T-01"], "plenary", False)
    assert recent(db, forum_id(forum))[0].kind == "brought_back"


def test_a_session_made_by_an_import_is_public_under_its_own_uid(db: Db, forum: Forum):
    do(db, forum, table(NEW))
    publish(db, OPERATOR, forum, now=NOW, reason="as arranged")
    (uid,) = [uid for uid, state in states_of(db, forum_id(forum)).items() if state.draft.code == "T-09"]
    found = published(db, forum_id(forum)).session("T-09")
    assert found is not None
    assert found.uid == uid


def test_who_may_not_edit_may_not_import(db: Db, forum: Forum):
    rows = table(NEW)
    with pytest.raises(Forbidden):
        import_table(db, make_actor(db, DARA, Role.VIEWER), forum, rows, mark="x", now=NOW)


def test_it_takes_as_many_reads_however_long_the_table_is(db: Db, forum: Forum, queries: Any):
    counted = []
    for rows in (table(NEW), table(*({**NEW, "code": f"U-{number:02d}"} for number in range(30)))):
        with queries() as one:
            do(db, forum, rows)
        counted.append(sum(statement.startswith("SELECT") for statement in one))
    assert counted[1] == counted[0]


def test_a_programme_is_imported_and_taken_back_on_both_databases(either_database: Database):
    def deed(db: Db) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        forum = the_forum(db)
        load_talks(db, forum, timed("T-01", room="mekong"), timed("T-02", room="bassac"))
        before = drafts(db, forum)
        done = do(db, forum, table({"code": "T-01", "chair": "the-chair"}, {"code": "T-02", "chair": ""}))
        made = do(db, forum, table(NEW))
        between = drafts(db, forum)
        for number in (made.number, done.number):
            mark = foresee(db, forum, before_together(db, forum, number).wanted).mark
            take_back_together(db, OPERATOR, forum, number, mark=mark, now=NOW)
        return before, between, drafts(db, forum)

    before, between, after = Pen(either_database).write_now(SLUG, deed)
    assert before == after
    assert [part.speaker for part in between["T-01"].people] == ["the-chair"]
    assert "T-09" in between
