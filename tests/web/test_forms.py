"""A refused form comes back as it was sent."""

from starlette.datastructures import FormData

from app.kit.errors import Fault, Invalid, Refused
from app.kit.i18n import LANGS, has_text
from app.kit.templates import environment
from app.web.forms import Form, refilled


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
