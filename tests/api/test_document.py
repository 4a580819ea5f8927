"""The OpenAPI document: valid, with examples that are what they are examples of, and the table of the desk's deeds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app.web.routes import DESK
from tests.api.programs import Programs

LOOKS = {"try_numbers", "look_at_import", "try_words"}
"""A POST that only says what something would do: it writes nothing, so that it needs no key."""
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def document(programs: Programs) -> dict[str, Any]:
    answer = programs.ask("GET", "/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_shape_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    assert not [name for name in document["components"]["schemas"] if "__" in name], "two of one name"


def examples(document: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Every example with where it stands and the schema it is of."""
    found = []
    for name, schema in document["components"]["schemas"].items():
        found += [(name, schema, each) for each in schema.get("examples", [])]
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {})
            found += [(f"{method} {path}", schema, each) for each in schema.get("examples", [])]
            for parameter in one.get("parameters", []):
                given = parameter.get("examples") or parameter["schema"].get("examples") or []
                found += [(f"{path} {parameter['name']}", parameter["schema"], each) for each in given]
    return found


def test_every_example_is_of_its_schema(document: dict[str, Any]) -> None:
    there, wrong = examples(document), []
    assert len(there) > 60
    for where, schema, each in there:
        whole = {**schema, "components": document["components"]}
        wrong += [(where, error.message) for error in Draft202012Validator(whole).iter_errors(each)]
    assert not wrong


def test_everything_that_is_sent_has_an_example_and_a_sentence(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            assert one["description"], (method, path)
            if "application/json" in (sent := one.get("requestBody", {"content": {}})["content"]):
                assert sent["application/json"]["schema"].get("examples"), (method, path)
            elif sent:
                assert one["requestBody"]["description"], "a file has no example, so it is said what is taken"
            if method == "post" and one["operationId"] not in LOOKS:
                assert any(parameter["name"] == "idempotency-key" for parameter in one["parameters"]), path
            if method in {"put", "delete"}:
                assert any(parameter["name"] == "if-match" for parameter in one["parameters"]), path


def table() -> dict[str, str]:
    """The table in docs/api.md: a form of the desk → the operation that does the same, or why there is none."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `POST (/desk/\S+)` \| (.+?) \|$", text, re.MULTILINE))


def test_the_table_of_the_desks_deeds_is_whole_and_true(document: dict[str, Any]) -> None:
    forms = {str(route.path) for route in DESK.read().routes if "POST" in (route.methods or ())}
    said = table()
    assert set(said) == forms
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    named = {each for words in said.values() for each in re.findall(r"`((?:POST|PUT|DELETE) /\S+)`", words)}
    whole = {each.replace(" /", " /forums/{forum}/", 1) for each in named}
    assert whole <= operations
    for form, words in said.items():
        assert "`" in words or words.startswith("no: "), form
    changing = {each for each in operations if not each.startswith("GET ")}
    assert changing <= whole, "every operation that changes something stands beside the form that does the same"


def test_the_page_to_read_says_which_files_an_operation_takes_and_gives(programs: Programs) -> None:
    page = programs.doors.page("/api/docs?lang=en")
    taken, given = (page.one("details", id=name).text for name in ("put_photo", "get_table"))
    assert "The body is a file" in taken
    assert "image/webp" in taken
    assert "The answer is a file" in given
    assert "text/csv" in given
    assert "is a file" not in page.one("details", id="add_material").text


def test_the_document_names_no_secret(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert "securitySchemes" in text
    assert not re.search(r"sala_[a-z2-7]{20}", text)
