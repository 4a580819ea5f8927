"""A refused form comes back as it was sent."""

from html import unescape

import pytest
from starlette.datastructures import FormData

from app.kit.errors import Fault, Invalid, Refused
from app.kit.i18n import LANGS, has_text
from app.kit.templates import environment
from app.web.forms import Form, refilled
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
