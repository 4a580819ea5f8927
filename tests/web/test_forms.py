"""A refused form comes back as it was sent."""

import asyncio
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.kit.errors import Fault, Invalid, Refused
from app.kit.i18n import LANGS, has_text
from app.kit.templates import environment
from app.web.forms import Form, read_form, refilled
from app.web.labels import with_labels


def test_what_was_typed_is_kept_and_each_field_has_its_first_fault() -> None:
    sent = FormData([("email", "not an address"), ("pick", "a"), ("pick", "b"), ("name", "សុខា")])
    assert all(has_text(lang, "refused.unknown") for lang in LANGS)
    form = refilled("en", sent, Invalid([Fault("email", "x"), Fault("email", "y")]), several=("pick",))
    assert form.kept == {"email": "not an address", "pick": ["a", "b"], "name": "សុខា"}
    assert list(form.faults) == ["email"]


def test_a_refusal_of_the_whole_stands_on_top() -> None:
    assert list(refilled("km", FormData([]), Refused("x")).faults) == [""]


def test_a_field_with_a_fault_tells_programs_that_read_the_page_aloud() -> None:
    form = Form({"email": '"><b>'}, {"email": "This is not an e-mail address.", "": "Too old."})
    source = (
        '{% import "parts/_field.html" as field %}'
        '{{ field.text(form, "email", "E-mail", t, hint="Yours") }}{% include "parts/_errors.html" %}'
    )
    page = environment("en").from_string(source).render(form=form)
    assert 'aria-describedby="email-hint email-fault" aria-invalid="true"' in page
    assert 'id="email-fault">This is not an e-mail address.' in page
    assert 'href="#email"' in page
    assert 'role="alert"' in page
    assert "2 things need your attention" in page
    assert "<b>" not in page.split("<label")[1].split("Too old")[0].replace("<b aria", "")


FIELDS = (
    '{% import "parts/_field.html" as field %}{% include "parts/_errors.html" %}'
    '{{ field.text(form, "email", "E-mail & more", t, required=false) }}'
    '{{ field.radios(form, "whom", "Whom?", [("a", "A", ""), ("b", "B", "")], t) }}'
    '{{ field.agree(form, "consent", "I agree to it.") }}'
)


@pytest.mark.parametrize(
    ("name", "sentence", "shown"),
    [
        ("email", "Please write one.", "E-mail &amp; more: Please write one."),
        ("whom", "Please choose one.", "Whom? Please choose one."),
        ("consent", "Please agree.", "I agree to it. Please agree."),
        ("email", "E-mail &amp; more is wrong.", "E-mail &amp; more is wrong."),
        ("elsewhere", "Of no field here.", "Of no field here."),
        ("", "Too old.", "Too old."),
    ],
)
def test_on_top_each_fault_names_its_field_as_the_form_does(name: str, sentence: str, shown: str) -> None:
    form = Form({}, {name: unescape(sentence)})
    page = with_labels("en", environment("en").from_string(FIELDS).render(form=form))
    line = page.split("<li>")[1].split("</li>")[0]
    assert line == (f'<a href="#{name}">{shown}</a>' if name else shown)
    assert f'-fault">{shown}' not in page or not name or shown == sentence, "beside the field it stands alone"


def test_a_khmer_label_is_followed_by_the_khmer_colon() -> None:
    form = Form({}, {"email": "សូមជ្រើសរើសមួយ។"})
    source = FIELDS.replace("E-mail & more", "ក្រុម")
    page = with_labels("km", environment("km").from_string(source).render(form=form))
    assert ">ក្រុម៖ សូមជ្រើសរើសមួយ។</a>" in page


def test_what_somebody_typed_is_never_taken_for_a_label() -> None:
    form = Form({"email": '<label for="whom">Mine</label><!--label:whom-->'}, {"whom": "Please choose one."})
    page = with_labels("en", environment("en").from_string(FIELDS).render(form=form))
    assert "Mine: Please" not in page
    assert "Whom? Please choose one." in page


FORM = "application/x-www-form-urlencoded"


def sent_as(body: bytes, kind: str = FORM) -> Request:
    """A form as it comes from the server."""
    site = SimpleNamespace(state=SimpleNamespace(site=None))
    headers = [(b"content-type", kind.encode()), (b"sec-fetch-site", b"same-origin")]
    parts = iter([body[:7], body[7:]])

    async def receive() -> dict[str, Any]:
        part = next(parts)
        return {"type": "http.request", "body": part, "more_body": part == body[:7] and len(body) > 7}

    return Request({"type": "http", "method": "POST", "headers": headers, "app": site}, receive)


def read(body: bytes, kind: str = FORM, **limits: int) -> list[tuple[str, Any]] | int:
    """What is read of a form; the status where it is refused."""
    try:
        return asyncio.run(read_form(sent_as(body, kind), **limits)).multi_items()
    except HTTPException as refused:
        return refused.status_code


def read_by_starlette(body: bytes, fields: int, longest: int) -> list[tuple[str, Any]] | int:
    async def form() -> FormData:
        return await sent_as(body).form(max_fields=fields, max_part_size=longest)

    try:
        return asyncio.run(form()).multi_items()
    except HTTPException as refused:
        return refused.status_code


PIECES = st.sampled_from(
    ["&", "=", "+", "%20", "%E1%9E%80", "%e1%9e", "%", "%2", "%zz", "%26", "%3D", ";", "a", "name", " ", "\r\n", "\0"]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(0, 6), st.integers(0, 12))
@example("", 0, 0)
@example("=", 1, 0)
@example("a=b=c&&d&=e&", 4, 3)
@example("a=b&c=d", 1, 9)
@example("ab=c", 1, 2)
def test_what_is_typed_is_read_as_by_the_librarys_own_parser(body: str, fields: int, longest: int) -> None:
    mine = read(body.encode(), fields=fields, longest=longest)
    assert mine == read_by_starlette(body.encode(), fields, longest)


def test_a_form_in_another_character_set_or_in_bytes_that_are_none_is_refused() -> None:
    assert read(b"a=%E1%9E%80") == [("a", "ក")]
    for kind in (f"{FORM}; charset=UTF-8", f'{FORM};charset="utf8"', FORM.upper()):
        assert read(b"a=b", kind) == [("a", "b")], kind
    assert read(b"a=b", f"{FORM}; charset=utf-7") == 400
    assert read("a=ក".encode()) == 400
    assert read(b"a=b", "text/plain") == [], "no form at all"


def test_a_form_is_read_once_more_where_a_page_for_a_fault_shows_it() -> None:
    request = sent_as(b"a=b&c=%31")

    async def twice() -> list[FormData]:
        return [await read_form(request), await read_form(request)]

    assert [form.multi_items() for form in asyncio.run(twice())] == [[("a", "b"), ("c", "1")]] * 2
