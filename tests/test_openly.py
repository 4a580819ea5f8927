from app.audit.recording import record
from app.kit.db import Db
from tests.cast import NOW, SLUG
from tests.openly import faults, hold_against


def test_what_somebody_typed_is_found_wherever_it_stands_in_a_fact() -> None:
    assert faults([("x.y", {}, {"note": "short"})]) == {"x.y note"}
    assert faults([("x.y", {"state": "By telephone"}, {})]) == {"x.y state: By telephone"}
    assert faults([("x.y", {}, {"answers": [["ទូរស័ព្ទ"]], "eats": {"a b": 1}})]) == {
        "x.y answers: ទូរស័ព្ទ",
        "x.y eats: a b",
    }


def test_codes_numbers_days_and_states_may_stand_in_a_fact(db: Db) -> None:
    told = {"state": "seated", "place": 3, "day": "2026-12-01", "answers": [], "eats": {"STU": 2}}
    record(db, SLUG, ("worker", ""), "x.y", "x:1", now=NOW, after=told, personal={"note": "By telephone"})
    hold_against(db)
