"""Questions on the form to register and on one's own page: shown with why, kept after a fault."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kit.db import table
from app.registration.models import Application
from app.web.site import Site
from tests.cast import DARA, SLUG, VANNA, fields, make_application
from tests.registration.asked import PDF, answer, ask_also, question
from tests.web.visits import seal_on

STU, DIP = f"/en/{SLUG}/register/stu", f"/en/{SLUG}/register/dip"


def typed(figure: Any = VANNA, **changes: Any) -> dict[str, Any]:
    sent = {name: value for name, value in fields(figure).items() if name not in {"category", "language"}}
    return {**sent, **changes}


def sent(client: TestClient, form: str, values: dict[str, Any], **more: Any) -> Any:
    return client.post(form, data={**values, "form": seal_on(client.get(form))}, **more)


def applications(site: Site) -> int:
    return len(site.database.read(lambda db: db.execute(table(Application).select()).all()))


def test_a_form_says_why_it_asks_and_on_what_a_question_depends(client: TestClient) -> None:
    page = client.get(STU).text
    assert "Why we ask: The forum reports how many of each took part." in page
    assert "Only if your answer to “Student or scholar” is: Student." in page
    assert 'data-shown-if="q-scholar" data-shown-for="student"' in page
    assert "erased on 30 September 2027" in page
    assert "enctype" not in page.split("novalidate")[0].rsplit("<form", 1)[1]
    assert "Seen only by those who look after seats" in client.get(f"/en/{SLUG}/register/pty").text


def test_what_is_missing_is_told_with_every_other_fault_and_what_was_answered_is_kept(
    client: TestClient, site: Site
) -> None:
    answer = sent(client, DIP, typed(DARA, email="nonsense", **{"q-rank": "counsellor"}))
    assert answer.status_code == 422
    assert 'href="#q-mission"' in answer.text
    assert 'href="#email"' in answer.text
    assert 'value="counsellor" checked' in answer.text
    assert applications(site) == 0


def test_the_answer_to_a_known_address_is_the_one_to_an_unknown(client: TestClient) -> None:
    good = typed(DARA, **{"q-mission": "An embassy"})
    assert sent(client, DIP, good).status_code == 200
    for email in (DARA.email, "unknown@elsewhere.example"):
        without = {**good, "q-mission": "", "email": email}
        assert sent(client, DIP, without).status_code == 422


def test_a_file_has_to_be_chosen_again_after_a_fault_elsewhere(client: TestClient, site: Site) -> None:
    site.pen.write_now(SLUG, lambda db: ask_also(db, question("letter", "file")))
    page = client.get(STU).text
    assert 'enctype="multipart/form-data"' in page
    answer = sent(client, STU, typed(email="nonsense"), files={"q-letter": ("a.pdf", PDF)})
    assert answer.status_code == 422
    assert "Please choose this file again" in answer.text
    answer = sent(client, STU, typed(), files={"q-letter": ("a.pdf", b"<script>")})
    assert answer.status_code == 422
    assert "This is not a PDF, JPEG or PNG file." in answer.text
    assert applications(site) == 0


def test_a_file_too_large_is_told_beside_its_field_and_a_request_too_large_is_not_taken(
    client: TestClient, site: Site
) -> None:
    site.pen.write_now(SLUG, lambda db: ask_also(db, question("letter", "file")))
    most = site.settings.file_limit_bytes
    answer = sent(client, STU, typed(), files={"q-letter": ("a.pdf", PDF + b"0" * most)})
    assert answer.status_code == 422
    assert "This file is too large: 5 MB at most." in answer.text
    answer = sent(client, STU, typed(), files={"q-letter": ("a.pdf", PDF + b"0" * (most * 4))})
    assert answer.status_code == 413
    assert applications(site) == 0


@pytest.mark.parametrize("address", ["/login", f"/en/{SLUG}/programme", f"/en/{SLUG}/register/stu/x"])
def test_only_forms_that_may_bring_files_may_be_larger(client: TestClient, site: Site, address: str) -> None:
    body = b"0" * (site.settings.body_limit_bytes + 1)
    assert client.post(address, files={"q-letter": ("a.pdf", body)}).status_code == 413
    assert client.post(STU, content=body).status_code == 413, "nor without files"


def test_a_form_without_questions_of_files_takes_none(client: TestClient, site: Site) -> None:
    assert sent(client, STU, typed(), files={"q-letter": ("a.pdf", PDF)}).status_code == 400
    assert applications(site) == 0


def test_answers_are_corrected_on_the_own_page(client: TestClient, site: Site) -> None:
    from app.registration.applying import manage_token

    row = site.pen.write_now(SLUG, make_application)
    mine = f"/en/my/{manage_token(site.settings.secret_key, row.id, 1)}"
    site.pen.write_now(SLUG, lambda db: answer(db, row.id, scholar="student", university="Somewhere"))
    page = client.get(f"{mine}/details").text
    assert 'value="Somewhere"' in page
    values = {**typed(), "edition": "1", "questions": "1", "q-scholar": "student", "q-university": "Elsewhere"}
    done = client.post(f"{mine}/details", data={**values, "form": seal_on(client.get(mine + "/details"))})
    assert done.status_code == 303
    assert "Elsewhere" in client.get(mine).text


def test_an_own_page_says_what_is_not_answered_yet(client: TestClient, site: Site) -> None:
    from app.registration.applying import manage_token

    row = site.pen.write_now(SLUG, lambda db: make_application(db, DARA))
    mine = f"/en/my/{manage_token(site.settings.secret_key, row.id, 1)}"
    shown = client.get(mine).text
    assert "One question of this group is not answered yet." in shown
    assert shown.split("not answered yet.")[1].split("</p>")[0].count("Correct details") == 1, "one way, named once"
