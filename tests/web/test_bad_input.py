"""Whatever is sent: a plain answer in the reader's language, what was typed shown again, nothing written, no fault."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.accounts.rules import Role
from app.editions.form import ForumFile
from app.kit import codes
from app.kit.i18n import text_of
from tests.breadth import EXAMPLES, SOAK, some
from tests.cast import NOW, SECRET, SLUG
from tests.conftest import Clock
from tests.doors import ELSEWHERE, FORMS, Doors, Page, give_badges, open_doors
from tests.web.test_permissions import MATRIX, add_badges

FIELDS = [
    "email",
    "titles",
    "family_name",
    "given_name",
    "name_km",
    "display_name",
    "attends_as",
    "institution",
    "position_title",
    "country",
    "phone",
    "assistant_name",
    "meals",
    "access",
    "consent",
]
HOSTILE = {
    "nul": "a\0b",
    "escape": "a\x1b[31mb",
    "override": "a\u202egnp.exe",
    "isolate": "a\u2066b\u2069",
    "not a character": "a\uffffb",
    "delete": "a\x7fb",
    "next line": "a\x85b",
}
SIGNED = "owner"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    """A site that can send mail, its desk's owner, and somebody who registered."""
    folder = tmp_path_factory.mktemp("bad-input")
    with open_doors(
        loaded_file, folder, forum_file, SMTP_URL="smtp://127.0.0.1:9", BASE_URL="http://localhost"
    ) as found:
        found.enrol(SIGNED, Role.OWNER)
        found.write(SLUG, add_badges)
        yield found


@dataclass(frozen=True, slots=True)
class Opened:
    """A form as it was opened: where it is sent, its fields filled in rightly, who has it open, in which language."""

    address: str
    fields: Mapping[str, str]
    by: str = ""
    lang: str = "en"

    def but(self, **changes: str) -> dict[str, str]:
        return {**self.fields, **changes}


def good(**changes: str) -> dict[str, str]:
    """A registration that would be taken."""
    filled = {"email": "rith@elsewhere.example", "family_name": "Heng", "given_name": "Rith", "country": "KH"}
    return {**filled, "attends_as": "official", "consent": "yes", **changes}


def registering(doors: Doors, lang: str = "en") -> Opened:
    address = f"/{lang}/{SLUG}/register/stu"
    return Opened(address, good(form=doors.seal(address)), lang=lang)


def on_my_page(tail: str, **fields: str) -> Callable[[Doors], Opened]:
    def opened(doors: Doors) -> Opened:
        one = doors.register("INT")
        form = doors.page(f"/km/my/{one.secret}/details").hidden["form"]
        return Opened(f"/km/my/{one.secret}/{tail}", {"form": form, **fields}, lang="km")

    return opened


def at_the_desk(act: str, **fields: str) -> Callable[[Doors], Opened]:
    def opened(doors: Doors) -> Opened:
        one = doors.register("DIP")
        address = f"/desk/{SLUG}/registrations/{one.code}"
        return Opened(f"{address}/{act}", {"form": doors.seal(address, SIGNED), **fields}, SIGNED)

    return opened


A_QUESTION = {f"{name}_{lang}": "x" for name in ("label", "why") for lang in ("en", "km")}
A_QUESTION |= {"code": "x", "kind": "text"}


def at_the_questions(act: str, **fields: str) -> Callable[[Doors], Opened]:
    def opened(doors: Doors) -> Opened:
        address = f"/desk/{SLUG}/questions"
        return Opened(f"{address}/{act}", {"form": doors.seal(address, SIGNED), **fields}, SIGNED)

    return opened


def at_the_privacy(doors: Doors) -> Opened:
    address = f"/desk/{SLUG}/privacy"
    return Opened(f"{address}/retention", {"form": doors.seal(address, SIGNED), "retention_on": "2027-10-01"}, SIGNED)


def signing_in(doors: Doors) -> Opened:
    return Opened("/login", {"form": doors.seal("/login"), "email": "owner@desk.example"})


def using_a_link(doors: Doors) -> Opened:
    address = f"/login/{doors.sign_in_link()}"
    return Opened(address, {"form": doors.seal(address)})


def signing_out(doors: Doors) -> Opened:
    return Opened("/logout", {"form": doors.seal(f"/desk/{SLUG}", SIGNED)}, SIGNED)


EVERY_FORM: dict[str, Callable[[Doors], Opened]] = {
    "register": registering,
    "details": on_my_page("details", family_name="Heng", edition="1", attends_as="official"),
    "confirmation": on_my_page("confirmation"),
    "acceptance": on_my_page("acceptance"),
    "giving up": on_my_page("cancellation"),
    "erasure": on_my_page("erasure"),
    "question": at_the_questions("new", **A_QUESTION),
    "place": at_the_questions("rank/place", to="up"),
    "retirement": at_the_questions("rank/retirement", retired="yes"),
    "retention": at_the_privacy,
    "login": signing_in,
    "using a link": using_a_link,
    "logout": signing_out,
    "approval": at_the_desk("approval", note=""),
    "refusal": at_the_desk("refusal", note=""),
    "cancellation": at_the_desk("cancellation", note=""),
    "category": at_the_desk("category", note="", category="INT"),
    "confirmation by hand": at_the_desk("confirmation"),
    "link": at_the_desk("link"),
}
BY_HAND = {
    "/{lang}/{forum}/register/{category}",
    "/login",
    "/login/{link}",
    "/logout",
    "/desk/{forum}/questions/{code}",
    "/desk/{forum}/questions/{code}/place",
    "/desk/{forum}/questions/{code}/retirement",
    "/desk/{forum}/privacy/retention",
}
BY_HAND |= {f"/{{lang}}/my/{{secret}}/{act}" for act in ("details", "confirmation", "acceptance", "cancellation")}
BY_HAND |= {"/{lang}/my/{secret}/erasure"}
BY_HAND |= {
    f"/desk/{{forum}}/registrations/{{code}}/{act}"
    for act in ("approval", "refusal", "cancellation", "category", "confirmation", "link")
}
"""The paths of the forms above."""


def as_in_the_matrix(path: str) -> Callable[[Doors], Opened]:
    """The form at a path as whoever may send it would, filled in as the matrix of permissions has it."""

    def opened(doors: Doors) -> Opened:
        by = SIGNED if path.startswith(("/desk", "/account")) else ""
        knock = MATRIX["POST", path].knock(doors, by)
        return Opened(knock.address, knock.fields or {}, by)

    return opened


EVERY_FORM |= {path: as_in_the_matrix(path) for method, path in MATRIX if method == "POST" and path not in BY_HAND}
THOROUGH = ("register", "login", "details", "approval")
"""One form of each kind of reader: it is sent everything. One function reads them all, so each other is sent one thing
in so many, another one than its neighbours."""


def some_forms(turn: int, without: str = "", *, each: int = 5) -> Any:
    """One form in `each`, others at every turn, and those of each kind of reader; all of them in a soak."""
    names = dict.fromkeys([*THOROUGH, *some(list(EVERY_FORM), turn, each=each)])
    names.pop(without, None)
    return pytest.mark.parametrize("name", names)


def opened(doors: Doors, name: str) -> Opened:
    """A form that is only ever refused: opened once for all its refusals, because none of them writes anything."""
    kept: dict[str, Opened] = OPENED.setdefault(doors, {})
    if name not in kept:
        kept[name] = EVERY_FORM[name](doors)
    return kept[name]


OPENED: WeakKeyDictionary[Doors, dict[str, Opened]] = WeakKeyDictionary()


class Refusing:
    """Sends things to one form and looks that each is answered as it should be and that nothing is written."""

    def __init__(self, doors: Doors, form: Opened) -> None:
        self.doors, self.form = doors, form
        self.before = doors.rows()

    def __call__(self, *statuses: int, **request: Any) -> Page:
        if "fields" in request:
            answer = self.doors.post(self.form.address, self.form.by, **request)
        else:
            answer = self.doors.ask("POST", self.form.address, self.form.by, **request)
        return self.look(answer, *statuses)

    def look(self, answer: Any, *statuses: int) -> Page:
        assert answer.status_code in (statuses or range(400, 500)), answer.status_code
        assert self.doors.rows() == self.before
        page = Page(answer.text)
        assert page.one("html").attributes["lang"] == self.form.lang
        assert page.misnested == []
        assert len(page.one("h1").text) > 3
        assert "Traceback" not in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        return page


def kept(page: Page) -> dict[str, str]:
    """What a form shows in its fields."""
    shown = {each.attributes["name"]: each.attributes.get("value", "") for each in page.all("input") if is_text(each)}
    shown |= {each.attributes["name"]: "".join(each.texts) for each in page.all("textarea")}
    for choice in page.all("input", type="radio") + page.all("input", type="checkbox"):
        if "checked" in choice.attributes:
            shown[choice.attributes["name"]] = choice.attributes["value"]
    chosen = [option.attributes["value"] for option in page.all("option") if "selected" in option.attributes]
    return {**shown, "country": chosen[0] if chosen else ""}


def is_text(field: Any) -> bool:
    return field.attributes.get("type") not in {"hidden", "radio", "checkbox"}


# ---- what stands in the fields of a registration


@pytest.mark.parametrize(("field", "lang"), [(name, ("en", "km")[at % 2]) for at, name in enumerate(FIELDS[:-1])])
def test_hostile_characters_in_any_field_are_refused_beside_the_field(doors: Doors, field: str, lang: str) -> None:
    refusing = Refusing(doors, registering(doors, lang))
    for kind, text in HOSTILE.items():
        if (field, kind) == ("titles", "next line"):
            continue  # titles stand one a line
        page = refusing(422, fields=refusing.form.but(**{field: text}))
        (fault,) = page.all("p", id=f"{field}-fault")
        assert fault.text
        assert any(href == f"#{field}" for href in page.links)
        assert page.ids.count(field) == 1
        assert page.all("title")[0].text.startswith(text_of("km" if lang == "km" else "en", "registration.form.faulty"))


def test_what_was_typed_is_shown_again_escaped_with_each_thing_wrong(doors: Doors) -> None:
    refusing = Refusing(doors, registering(doors))
    bad = '"><xss onload=x>&amp; {{7*7}} {forum} %s'
    typed = {name: f"{bad} {name}" for name in FIELDS if name not in {"attends_as", "country", "consent", "titles"}}
    typed |= {"titles": "Samdech, H.E., Dr.", "attends_as": "private", "country": "FR", "consent": "yes"}
    page = refusing(422, fields={**refusing.form.fields, **typed})
    assert page.all("xss") == []
    shown = kept(page)
    assert {name: shown.get(name) for name in typed} == typed
    assert [name for name in FIELDS if f"{name}-fault" in page.ids] == ["email", "phone"]
    assert page.hidden["form"] == refusing.form.fields["form"], "the form shown again is the same, so its time runs on"
    assert Refusing(doors, refusing.form)(422, fields={**typed, "form": page.hidden["form"]}).all("xss") == []


def test_everything_left_empty_says_what_is_needed_and_nothing_else(doors: Doors) -> None:
    refusing = Refusing(doors, registering(doors))
    page = refusing(422, fields={"form": refusing.form.fields["form"]})
    assert {name for name in FIELDS if f"{name}-fault" in page.ids} == {"email", "family_name", "consent"}
    empty = refusing(422, fields={**dict.fromkeys(FIELDS, ""), "form": refusing.form.fields["form"]})
    assert {name for name in FIELDS if f"{name}-fault" in empty.ids} >= {"email", "family_name", "consent"}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("family_name", "x" * 201),
        ("name_km", "ក" * 201),
        ("titles", "x" * 201),
        ("titles", ", ".join(["Dr."] * 9)),
        ("access", "x" * 4001),
        ("email", "x" * 64 + "@" + "y" * 190 + ".example"),
        ("email", "a@b"),
        ("email", "rith@elsewhere.example\r\nBcc: all@elsewhere.example"),
        ("email", "rith@elsewhere.example, vanna@university.example"),
        ("email", "rith@localhost"),
        ("email", "rith@[127.0.0.1]"),
        ("phone", "call me"),
        ("phone", "1" * 200),
        ("country", "XX"),
        ("country", "Cambodia"),
        ("attends_as", "both"),
        ("consent", "no"),
        ("family_name", "two\nlines"),
    ],
)
def test_what_cannot_be_is_refused_with_the_rest_kept(doors: Doors, field: str, text: str) -> None:
    refusing = Refusing(doors, registering(doors))
    page = refusing(422, fields=refusing.form.but(**{field: text}))
    assert f"{field}-fault" in page.ids
    others = {name: value for name, value in good().items() if name != field and (field, name) != ("name_km", "x")}
    shown = kept(page)
    assert {name: shown.get(name) for name in others} == others


@pytest.mark.parametrize("field", FIELDS)
def test_a_hundred_thousand_characters_are_refused(doors: Doors, field: str) -> None:
    refusing = Refusing(doors, registering(doors, "km"))
    for text in ("x" * 100_000, "ក" * 100_000):
        refusing(400, 413, 422, fields=refusing.form.but(**{field: text}))


@pytest.mark.parametrize(
    "name",
    [
        "Robert'); DROP TABLE registration_application;--",
        "<xss>Heng</xss>",
        "Müller-O’Brien y Ñandú",
        "ហេង ឫទ្ធិ",
        "𝓗𝓮𝓷𝓰 🙂",
    ],
)
def test_a_name_of_any_letters_is_kept_as_typed_and_shown_escaped_everywhere(doors: Doors, name: str) -> None:
    one = doors.register("INT", family_name=name, institution=name, display_name=name, access=name)
    pages = [doors.page(f"/en/my/{one.secret}"), doors.page(f"/desk/{SLUG}/registrations/{one.code}", SIGNED)]
    pages += [doors.page(f"/desk/{SLUG}/{tail}", SIGNED) for tail in ("registrations", "outbox")]
    for page in pages:
        assert page.misnested == []
        assert not page.all("xss")
    assert name in pages[0].text
    assert name in pages[1].text
    assert kept(doors.page(f"/en/my/{one.secret}/details"))["display_name"] == name


# ---- every form there is


def test_every_form_of_the_site_is_among_these(doors: Doors) -> None:
    posted = {path for method, path in doors.routes if method == "POST"}
    assert posted == BY_HAND | {name for name in EVERY_FORM if name.startswith("/")}
    assert len(EVERY_FORM) == len(posted)


TOLD_APART = {"form", "edition", "accept"}
"""What a form carries to be told apart by, and what says which of two buttons was pressed."""


@some_forms(0)
def test_hostile_characters_in_every_field_of_every_form_are_refused(doors: Doors, name: str) -> None:
    """Every field gets one of the four kinds, its neighbours the others: one reader reads them all. Of a form of more
    fields than four, which has many alike, every third is asked in a usual run."""
    refusing = Refusing(doors, opened(doors, name))
    typed = [each for each in refusing.form.fields if each not in TOLD_APART and not each.startswith("edition-")]
    if len(typed) > 4 and name not in THOROUGH:
        typed = list(some(typed, len(name), each=3))
    kinds = [HOSTILE["nul"], HOSTILE["override"], "x" * 30_000, HOSTILE["next line"]]
    for number, field in enumerate(typed):
        bad = kinds[(len(name) + number) % len(kinds)]
        if field.endswith(BOXES):
            continue
        answer = doors.post(refusing.form.address, refusing.form.by, refusing.form.but(**{field: bad}))
        assert answer.status_code in {400, 404, 409, 422}, field
        refusing.look(answer)


BOXES = ("-hold_while_reviewing", "-in_hall", "over_is_meant", "reserves", "heads")
"""A box is ticked or not: whatever else is sent in its place is not ticked, and kept nowhere."""


# ---- bodies


def multipart(parts: str, boundary: str = "xyz", content_type: str = "") -> dict[str, Any]:
    body = parts.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    return {"content": body, "headers": {"content-type": content_type or f"multipart/form-data; boundary={boundary}"}}


def part(name: str, value: str, more: str = "") -> str:
    return f'--xyz\nContent-Disposition: form-data; name="{name}"{more}\n\n{value}\n'


CHARSETS = (
    "unicode_escape",
    "utf-7",
    "idna",
    "punycode",
    "utf-16",
    "rot13",
    "no-such",
    "a\tb",
    "undefined",
    "utf-8-sig",
)


def bodies(token: str) -> list[dict[str, Any]]:
    """Bodies that are no form of ours, or none at all."""
    kind = "multipart/form-data; boundary=xyz; charset="
    return [
        {},
        {"content": b"{}", "headers": {"content-type": "application/json"}},
        {"content": b"\xff\xfe\x00", "headers": {"content-type": "text/plain"}},
        {"content": b"", "headers": {"content-type": FORMS}},
        {"content": b"&&&=&=&%&%zz&;", "headers": {"content-type": FORMS}},
        {"content": b"form=%ff%fe%00", "headers": {"content-type": FORMS}},
        {"content": b"form=\xff\xfe\x00", "headers": {"content-type": FORMS}},
        {"content": b"\x00" * 1000, "headers": {"content-type": FORMS}},
        multipart(""),
        multipart("--xyz\n"),
        multipart(part("form", token)),
        multipart(part("form", token), content_type="multipart/form-data"),
        multipart(part("form", token), boundary="x" * 5000),
        multipart("--abc\nnothing like it"),
        multipart("--xyz\nContent-Disposition: form-data\n\nx\n--xyz--\n"),
        multipart(f"--xyz\n{'X-Long: ' + 'y' * 20000}\n\nx\n--xyz--\n"),
        multipart(part("form", token, '; filename="form.txt"') + "--xyz--\n"),
        multipart(part("form", "\\ud800.x") + "--xyz--\n", content_type=f"{kind}unicode_escape"),
        multipart(part("form", "+2AA-.x") + "--xyz--\n", content_type=f"{kind}utf-7"),
        {"fields": {f"field{number}": "x" for number in range(2000)}},
        {"fields": {"x" * 100_000: "x"}},
    ]


def some_of(name: str, everything: Sequence[Any], *, each: int) -> Sequence[Any]:
    return everything if name in THOROUGH else some(everything, list(EVERY_FORM).index(name), each=each)


@some_forms(1)
def test_a_body_that_is_no_form_is_refused(doors: Doors, name: str) -> None:
    refusing = Refusing(doors, opened(doors, name))
    for body in some_of(name, bodies(refusing.form.fields["form"]), each=21):
        refusing(**body)


NAMED = st.sampled_from([b"form", b"family_name", b"email", b"titles", b"x", b"", b"\xff", b"a" * 300])
HEADS = st.sampled_from(
    [
        b'Content-Disposition: form-data; name="%s"',
        b'Content-Disposition: form-data; name="%s"; filename="a.pdf"',
        b'Content-Disposition: form-data; name="%s"; filename="\x00"',
        b"content-disposition: form-data; name*=utf-8''%s",
        b"Content-Disposition: form-data; name=%s; name=form",
        b"Content-Disposition: attachment; x=%s",
        b'Content-Type: text/plain; charset=utf-7\r\nContent-Disposition: form-data; name="%s"',
        b'Content-Type: multipart/mixed; boundary=xyz\r\nContent-Disposition: form-data; name="%s"',
        b'Content-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name="%s"',
        b"X-Long: " + b"a" * 9000 + b"%s",
    ]
)
VALUES = st.sampled_from(
    [b"", b"x", b"\xff\xfe", b"\x00", b"\xed\xa0\x80", b"\r\n--xyz\r\n", b"\xe2\x80\xae", b"a" * 70_000]
)
LINE_ENDS = st.sampled_from([b"\r\n", b"\n", b"", b"\r"])
PARTS = st.builds(
    lambda start, head, name, gap, value, end: start + head.replace(b"%s", name) + gap + value + end,
    st.sampled_from([b"--xyz\r\n", b"--xyz\n", b"--xyz", b"-xyz\r\n"]),
    HEADS,
    NAMED,
    st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n"]),
    VALUES,
    LINE_ENDS,
)
WHOLE = st.builds(
    lambda parts, end: b"".join(parts) + end,
    st.lists(PARTS, max_size=6),
    st.sampled_from([b"--xyz--\r\n", b"--xyz--", b"", b"--xyz-", b"--xyz--\r\ntrailing"]),
)
PAIRS = st.lists(st.builds(lambda name, value: name + b"=" + value, NAMED, VALUES), max_size=5).map(b"&".join)
KINDS = st.sampled_from(
    [f"multipart/form-data; boundary={each}" for each in ("xyz", '"xyz"', "", "x" * 100, "xyz; charset=utf-7")]
    + [
        "multipart/form-data",
        "multipart/mixed; boundary=xyz",
        FORMS,
        f"{FORMS}; charset=zip",
        "application/json",
        "\xff",
    ]
)


@settings(max_examples=EXAMPLES or 40, derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(WHOLE, WHOLE, PAIRS, st.binary(max_size=300)),
    st.one_of(st.just("multipart/form-data; boundary=xyz"), KINDS),
)
def test_whatever_bytes_are_sent_as_a_form_are_refused(doors: Doors, body: bytes, kind: str) -> None:
    for name in ("register", "login", "approval"):
        refusing = Refusing(doors, opened(doors, name))
        refusing(content=body, headers={"content-type": kind.encode("latin-1")})


@pytest.mark.parametrize("charset", CHARSETS)
def test_an_odd_character_set_brings_no_odd_character_in(doors: Doors, charset: str) -> None:
    form = registering(doors)
    refusing = Refusing(doors, form)
    kind = f"multipart/form-data; boundary=xyz; charset={charset}"
    parts = "".join(part(name, value) for name, value in form.but(family_name="\\ud800", email="+2AA-").items())
    refusing(400, 422, **multipart(parts + "--xyz--\n", content_type=kind))


def test_a_file_in_place_of_a_text_is_refused(doors: Doors) -> None:
    form = registering(doors)
    refusing = Refusing(doors, form)
    parts = "".join(part(name, value) for name, value in form.but().items() if name != "given_name")
    refusing(400, 422, **multipart(parts + part("given_name", "MZ", '; filename="name.exe"') + "--xyz--\n"))


def test_a_form_sent_as_multipart_is_as_good_as_any(doors: Doors) -> None:
    form = registering(doors)
    fields = form.but(email="multipart@elsewhere.example")
    parts = "".join(part(name, value) for name, value in fields.items())
    answer = doors.ask("POST", form.address, **multipart(parts + "--xyz--\n"))
    assert answer.status_code == 200
    assert "multipart@elsewhere.example" in answer.text


def test_bytes_that_are_no_text_are_refused(doors: Doors) -> None:
    form = registering(doors)
    refusing = Refusing(doors, form)
    for raw in (b"%ff%fe", b"\xff\xfe", b"%c0%80", b"%ed%a0%80", b"%00"):
        body = "&".join(f"{name}={quote(value)}" for name, value in form.but().items() if name != "family_name")
        content = body.encode() + b"&family_name=" + raw
        refusing(400, 422, content=content, headers={"content-type": FORMS})


def test_of_a_field_sent_twice_one_value_counts(doors: Doors) -> None:
    form = registering(doors)
    refusing = Refusing(doors, form)
    twice = {**form.fields, "email": ["nonsense", "also nonsense"], "country": ["KH", "XX"]}
    assert {"email-fault", "country-fault"} <= set(refusing(422, fields=twice).ids)
    refusing(422, fields={**form.fields, "form": [form.fields["form"], "another"]})


def test_a_body_beyond_the_limit_is_refused_however_it_is_sent(doors: Doors) -> None:
    before = doors.rows()
    for name in ("register", "login", "approval"):
        form = EVERY_FORM[name](doors)
        before = doors.rows()
        announced = doors.ask("POST", form.address, form.by, content=b"x" * (2 << 20), headers={"content-type": FORMS})
        assert announced.status_code == 413
        pieces = (b"x" * 65536 for _ in range(40))
        chunked = doors.ask("POST", form.address, form.by, content=pieces, headers={"content-type": FORMS})
        assert chunked.status_code in {400, 413}
        assert doors.rows() == before


# ---- tokens of forms


ONE_PAGE = {"/login/passkey": ("login",)}
"""Forms of one page share its token."""


@some_forms(0, each=2)
def test_a_form_without_its_own_token_is_refused(doors: Doors, name: str) -> None:
    form = opened(doors, name)
    refusing = Refusing(doors, form)
    token = form.fields["form"]
    foreign = [
        opened(doors, each).fields["form"]
        for each in (("register", "login") if SOAK or name == "login" else ("login",))
        if each not in (name, *ONE_PAGE.get(name, ()))
    ]
    sealed_elsewhere = codes.seal(b"another key, as long as ours is here", "form/x/", token.rpartition(".")[0])
    refusing.before = doors.rows()
    odd = [token[:-1], sealed_elsewhere, "", "x", ".", "a.b", "é.ស", "\0", token + "x", "9" + token, "x" * 9000]
    without = {key: value for key, value in form.fields.items() if key != "form"}
    others = [without, *(form.but(form=bad) for bad in odd)]
    for fields in (*(form.but(form=bad) for bad in foreign), *some_of(name, others, each=len(others))):
        refusing(403, 422, fields=fields)


@some_forms(1, without="logout")  # of that the next test tells
def test_a_form_open_for_too_long_is_refused(doors: Doors, clock: Clock, name: str) -> None:
    form = opened(doors, name)
    refusing = Refusing(doors, form)
    clock.move(hours=12, seconds=1)
    page = refusing(410, fields=form.but())
    assert page.text


def test_a_page_left_open_overnight_may_still_sign_out(doors: Doors, clock: Clock) -> None:
    doors.enrol("overnight", Role.VIEWER)
    token = doors.seal(f"/desk/{SLUG}", "overnight")
    clock.move(hours=13)
    assert doors.post("/logout", "overnight", {"form": token}).status_code == 303
    assert doors.get(f"/desk/{SLUG}", "overnight").headers["location"] == "/login"


@pytest.mark.parametrize("name", ["register", "details", "login"])
def test_an_expired_form_comes_back_filled_in_and_fresh(doors: Doors, clock: Clock, name: str) -> None:
    form = EVERY_FORM[name](doors)
    refusing = Refusing(doors, form)
    clock.move(hours=12, seconds=1)
    page = refusing(410, fields=form.but())
    shown = kept(page)
    assert {key: shown.get(key) for key in form.fields if key in shown and is_plain(key)} == {
        key: value for key, value in form.fields.items() if key in shown and is_plain(key)
    }
    assert "email" in shown or "family_name" in shown
    assert page.hidden["form"] != form.fields["form"]


def is_plain(name: str) -> bool:
    return name not in {"form", "edition"}


def test_a_form_sent_again_gives_the_same_answer_and_one_registration(doors: Doors) -> None:
    form = registering(doors)
    fields = form.but(email="again@elsewhere.example", form=doors.seal(form.address))
    first = doors.post(form.address, fields=fields)
    before = doors.rows()
    again = doors.post(form.address, fields=fields)
    assert (again.status_code, again.text) == (first.status_code, first.text) == (200, first.text)
    assert doors.rows() == before


@pytest.mark.parametrize("name", ["confirmation", "giving up", "approval", "refusal", "cancellation", "category"])
def test_a_button_pressed_twice_does_its_deed_once(doors: Doors, name: str) -> None:
    form = EVERY_FORM[name](doors)
    assert doors.post(form.address, form.by, form.fields).status_code == 303
    before = doors.rows()
    assert doors.post(form.address, form.by, form.fields).status_code in {303, 409, 422}
    assert doors.rows() == before


FOREIGN = (
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "nonsense"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://localhost:81"},
    {"origin": "//["},
)


@some_forms(2)
def test_what_another_site_sends_is_refused(doors: Doors, name: str) -> None:
    refusing = Refusing(doors, opened(doors, name))
    for headers in some_of(name, FOREIGN, each=len(FOREIGN)):
        refusing(403, fields=refusing.form.fields, headers=headers)


# ---- what a program fills in


@pytest.fixture(scope="module")
def watchful(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    """A site as it is delivered: forms take a moment to fill in, tries are counted; no mail can leave."""
    environment = {"FORM_MIN_SECONDS": "1.5", "THROTTLE_PER_EMAIL": "2", "THROTTLE_PER_ADDRESS": "1000"}
    with open_doors(loaded_file, tmp_path_factory.mktemp("watchful"), forum_file, **environment) as found:
        yield found


def test_a_form_filled_in_an_instant_is_refused_and_kept(watchful: Doors, clock: Clock) -> None:
    form = registering(watchful)
    refusing = Refusing(watchful, form)
    clock.move(seconds=1.4)
    page = refusing(422, fields=form.but())
    assert text_of("en", "refused.form_too_quick") in page.text
    assert kept(page)["family_name"] == "Heng"
    clock.move(seconds=2)
    assert watchful.post(form.address, fields={**form.but(), "form": page.hidden["form"]}).status_code == 200


def test_the_field_that_nobody_sees_catches_whoever_fills_it_in(watchful: Doors, clock: Clock) -> None:
    form = registering(watchful)
    refusing = Refusing(watchful, form)
    clock.move(seconds=30)
    page = refusing(422, fields=form.but(website="https://spam.example"))
    assert kept(page)["family_name"] == "Heng"
    assert kept(page)["website"] == ""
    hidden = [each for each in page.elements if "trap" in each.attributes.get("class", "")]
    assert [each.attributes.get("aria-hidden") for each in hidden] == ["true"]


def test_too_many_tries_for_one_address_are_refused_and_kept(watchful: Doors, clock: Clock) -> None:
    def send() -> tuple[Opened, dict[str, str]]:
        form = registering(watchful, "km")
        clock.move(seconds=30)
        return form, form.but(email="often@elsewhere.example", form=form.fields["form"])

    for _ in range(2):
        form, fields = send()
        assert watchful.post(form.address, fields=fields).status_code == 200
    form, fields = send()
    refusing = Refusing(watchful, form)
    answer = watchful.post(form.address, fields=fields)
    page = refusing.look(answer, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert kept(page)["family_name"] == "Heng"
    clock.move(hours=1)
    form, fields = send()
    assert watchful.post(form.address, fields=fields).status_code == 200


# ---- known and unknown addresses


def answer_for(doors: Doors, email: str, lang: str = "en", **more: str) -> Any:
    form = registering(doors, lang)
    answer = doors.post(form.address, fields=form.but(email=email, **more))
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("lang", ["en", "km"])
def test_a_known_and_an_unknown_address_get_one_and_the_same_page(doors: Doors, lang: str) -> None:
    first = answer_for(doors, f"first-{lang}@elsewhere.example", lang)
    known = answer_for(doors, f"first-{lang}@elsewhere.example", lang, family_name="Another")
    spelled = answer_for(doors, f"FIRST-{lang}@ELSEWHERE.example", lang)
    fresh = answer_for(doors, f"fresh-{lang}@elsewhere.example", lang)
    same = re.compile(rf"(?i)(first|fresh)-{lang}@elsewhere\.example")
    pages = {same.sub("ADDRESS", answer.text) for answer in (first, known, spelled, fresh)}
    assert len(pages) == 1
    assert "/my/" not in pages.pop()
    volatile = {"date", "x-request-id"}
    headers = [
        {name: value for name, value in answer.headers.items() if name not in {*volatile, "content-length"}}
        for answer in (first, known, fresh)
    ]
    assert headers[0] == headers[1] == headers[2]


def test_signing_in_answers_a_known_and_an_unknown_address_alike(doors: Doors) -> None:
    def ask(email: str) -> str:
        form = signing_in(doors)
        return str(doors.post("/login", fields=form.but(email=email)).text)

    mails = doors.rows()["mail_message"]
    assert ask("owner@desk.example") == ask("nobody@desk.example")
    assert doors.rows()["mail_message"] == mails + 1


@pytest.mark.parametrize("lang", ["en", "km"])
def test_without_mail_the_link_is_shown_for_a_new_registration_and_never_for_a_known_address(
    watchful: Doors, clock: Clock, lang: str
) -> None:
    def ask(email: str, **more: str) -> Page:
        form = registering(watchful, lang)
        clock.move(seconds=30)
        return Page(watchful.post(form.address, fields=form.but(email=email, **more)).text)

    fresh = ask(f"unmailed-{lang}@elsewhere.example")
    (link,) = [href for href in fresh.links if "/my/" in href and href.startswith(f"/{lang}/")]
    assert watchful.get(link).status_code == 200
    known = ask(f"unmailed-{lang}@elsewhere.example", family_name="Somebody else")
    secret = link.rpartition("/")[2]
    assert secret not in known.html
    assert not any("/my/" in href for href in known.links)


# ---- addresses


ODD = (
    "%00",
    "a%00b",
    "%2F",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%ff",
    "%c0%ae",
    "%0d%0aX: y",
    "ភ្នំពេញ",
    "%E2%80%AE",
    "🙂",
)
ODD += (
    "a" * 5000,
    "%20",
    "'",
    '"',
    "<script>",
    "{lang}",
    "-1",
    "0",
    "NULL",
    "%25",
    "a;b",
    "a%26b",
    "*",
    "~",
    "İ",
    "ſtu",
    "２０２７",
)
RIGHT = {"lang": "en", "forum": SLUG, "code": "D1-02", "on": "2027-03-23", "slug": "maritime", "category": "stu"}
RIGHT |= {"secret": "a" * 32, "link": "a" * 43, "token": "a" * 32, "rest:path": "base/layout.css", "message": "1"}
RIGHT |= {"number": "1", "registration": "ABCDEFG", "rung": "ambassadors", "part": "words"}
RIGHT |= {"companion": "ABCDEFG", "letter": "ABCDEFG", "first": "ABCDEFG", "second": "HJKMNPQ"}
RIGHT |= {"kind": "csv", "material": "ABCDEFG", "language": "en"}
RIGHT |= {"kind": "csv", "name": "programme", "template": "registration.seated"}


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_an_odd_part_of_any_address_is_not_found(doors: Doors, odd: str) -> None:
    """Each part of each address is asked for one in ten of these, so that each of these stands in every tenth part."""
    before, turn = doors.rows(), count(ODD.index(odd) if odd in ODD else 0)
    for method, path in sorted(doors.routes):
        for name in re.findall(r"{([a-z:]+)}", path):
            if next(turn) % (1 if SOAK else 10):
                continue
            parts = {**RIGHT, name: odd}
            address = re.sub(r"{([a-z:]+)}", lambda found, parts=parts: parts[found[1]], path)
            by = SIGNED if path.startswith(("/desk", "/account")) else ""
            answer = doors.ask(method, address, by)
            assert answer.status_code in {303, 307, 400, 404, 405, 410, 422}, (method, address)
            # to this site alone: "//" and "/\\" would lead a browser to another host
            led = answer.headers.get("location", "/").removeprefix("http://localhost")
            assert re.match(r"/(?![/\\])", led), (address, led)
            if (
                answer.headers.get("content-type", "").startswith("text/html")
                and name != "lang"
                and path.startswith("/{lang}")
            ):
                assert 'lang="en"' in answer.text
    assert doors.rows() == before


QUERIES = {
    "programme": (f"/en/{SLUG}/programme", ("day", "track", "room", "q")),
    "home": (f"/en/{SLUG}", ("q", "lang")),
    "calendar": (f"/en/{SLUG}/calendar.ics", ("v",)),
    "register": (f"/km/{SLUG}/register/stu", ("email",)),
    "list": (f"/desk/{SLUG}/registrations", ("state", "category", "q", "order", "after", "lang")),
    "questions": (
        f"/desk/{SLUG}/registrations",
        ("capacity", "delegation", "needs", "tag", "since", "institution", "code", "column", "view"),
    ),
    "facts": (f"/desk/{SLUG}/facts", ("part", "q", "since", "until", "before", "lang")),
    "outbox": (f"/desk/{SLUG}/outbox", ("state", "before", "lang")),
    "desk": (f"/desk/{SLUG}", ("lang", "done")),
    "login": ("/login", ("lang", "email")),
    "root": ("/", ("lang",)),
}
GARBAGE = (
    "",
    "%00",
    "a%00b",
    "%ff",
    "%E2%80%AE",
    "x" * 5000,
    "-1",
    "0",
    "9" * 15,
    "9" * 40,
    "1e9",
    "2027-03-23",
    "2027-W12-2",
)
GARBAGE += (
    "0001-01-01",
    "9999-12-31",
    "<script>",
    "'; --",
    "ក",
    "%u0041",
    "A%25",
    "_%25",
    "[]",
    "{}",
    "null",
    "stu",
    "seated",
    "DIP",
    "٣",
)


OWN_SCRIPT = re.compile(
    r'<script type="module" src="/static/[0-9a-f]{12}/[a-z/]+\.js"></script>'
    r'|<script type="application/ld\+json">[^<>]*</script>'
)


def ask_garbage(doors: Doors, name: str) -> None:
    address, names = QUERIES[name]
    by, before = SIGNED if address.startswith("/desk") else "", doors.rows()
    # each sixth thing in each field, others than in its neighbours: one reader reads them all
    queries = [f"{field}={value}" for turn, field in enumerate(names) for value in some(GARBAGE, turn, each=6)]
    queries += [
        "",
        "?",
        "=",
        "&&",
        "%",
        "%%%",
        "[]=1",
        "=x",
        "a" * 5000,
        "&".join(f"{field}=1&{field}=2" for field in names),
    ]
    queries += ["&".join(f"x{number}=1" for number in range(2000))]
    for query in queries:
        answer = doors.get(f"{address}?{query}", by)
        assert answer.status_code in {200, 303, 404}, query
        assert "<script" not in OWN_SCRIPT.sub("", answer.text)
    assert doors.rows() == before


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_garbage_is_harmless(doors: Doors, name: str) -> None:
    ask_garbage(doors, name)


@pytest.fixture(scope="module")
def on_postgres(postgres_base: str) -> Iterator[Doors]:
    """The same site on PostgreSQL, which takes no NUL in a text and no number beyond its type."""
    from starlette.testclient import TestClient

    from app.kit import clock
    from app.main import create_app
    from tests import cluster
    from tests.conftest import settings_for

    with cluster.copy_of(postgres_base, f"bad_input_{uuid.uuid4().hex[:12]}") as url, clock.reading(lambda: NOW):
        app = create_app(settings_for(url, SMTP_URL="smtp://127.0.0.1:9"))
        with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
            found = Doors(app, client)
            found.enrol(SIGNED, Role.OWNER)
            found.write(SLUG, give_badges)
            found.write(SLUG, add_badges)
            yield found


@pytest.mark.postgres
@pytest.mark.parametrize("name", some(["list", "outbox", "desk", "facts"], 0, each=2))
def test_a_query_of_garbage_is_harmless_on_postgresql(on_postgres: Doors, name: str) -> None:
    ask_garbage(on_postgres, name)


@pytest.mark.postgres
@pytest.mark.parametrize("name", some(list(EVERY_FORM), 0, each=4))
def test_hostile_fields_are_refused_on_postgresql(on_postgres: Doors, name: str) -> None:
    refusing = Refusing(on_postgres, opened(on_postgres, name))
    fields = {key: "a\0b" for key in refusing.form.fields if key not in {"form", "edition"}} or {"form": "\0"}
    refusing(403, 409, 422, fields={**refusing.form.fields, **fields})


@pytest.mark.postgres
@pytest.mark.parametrize("odd", some(["%00", "9" * 400, "a%00b", "%ff"], 0, each=3), ids=ascii)
def test_an_odd_part_of_any_address_is_not_found_on_postgresql(on_postgres: Doors, odd: str) -> None:
    test_an_odd_part_of_any_address_is_not_found(on_postgres, odd)


# ---- the desk's forms


@pytest.mark.parametrize("act", ["approval", "refusal", "cancellation", "category"])
def test_a_note_that_cannot_be_is_refused_at_the_desk_and_shown_again(doors: Doors, act: str) -> None:
    form = EVERY_FORM[act](doors)
    refusing = Refusing(doors, form)
    for text in HOSTILE.values():
        refusing(422, fields=form.but(note=text))
    page = refusing(422, fields=form.but(note="<xss>" + "x" * 5000))
    assert page.all("xss") == []
    assert page.all("div", class_="errors")
    refusing(400, fields=form.but(note="x" * 100_000))


@pytest.mark.parametrize("category", ["", "XXX", "dip", "STU; --", "\0", "x" * 5000, "DIP"])
def test_a_move_to_no_other_category_is_refused(doors: Doors, category: str) -> None:
    form = EVERY_FORM["category"](doors)
    page = Refusing(doors, form)(422, fields=form.but(category=category))
    assert page.all("div", class_="errors")


@pytest.mark.parametrize("act", ["approval", "refusal", "cancellation", "category", "confirmation", "link"])
def test_a_code_that_is_none_is_not_found_at_the_desk(doors: Doors, act: str) -> None:
    token = doors.seal(f"/desk/{SLUG}", SIGNED)
    theirs = doors.register("DIP", slug=ELSEWHERE)
    before = doors.rows()
    for code in ("ZZZZZZZ", theirs.code, theirs.code.lower()):
        answer = doors.post(f"/desk/{SLUG}/registrations/{code}/{act}", SIGNED, {"form": token, "category": "INT"})
        assert answer.status_code == 404
    assert doors.rows() == before


# ---- the participant's form of details


@pytest.mark.parametrize("edition", ["", "0", "2", "-1", "x", "9" * 30, "١", "1.0", " 1"])
def test_details_changed_from_an_edition_that_is_none_are_refused_with_what_was_typed(
    doors: Doors, edition: str
) -> None:
    form = EVERY_FORM["details"](doors)
    page = Refusing(doors, form)(409, fields=form.but(edition=edition, family_name="Changed"))
    assert kept(page)["family_name"] == "Changed"


def test_fields_that_are_not_a_participants_to_change_are_left_alone(doors: Doors) -> None:
    form = EVERY_FORM["details"](doors)
    more = {"email": "taken@over.example", "category": "GOV", "state": "seated", "priority": "9", "confirmed_at": "now"}
    assert doors.post(form.address, fields={**form.fields, **more, "given_name": "New"}).status_code == 303
    page = doors.page(form.address.removesuffix("/details"))
    assert "taken@over.example" not in page.text
    assert "New" in page.text


# ---- faults of our own


def test_a_fault_of_our_own_is_a_page_with_a_reference_and_no_traceback(
    tmp_path: Path, loaded_file: Path, forum_file: ForumFile
) -> None:
    from sqlalchemy import text
    from starlette.testclient import TestClient

    with open_doors(loaded_file, tmp_path, forum_file) as broken:
        broken.write(SLUG, lambda db: db.execute(text("ALTER TABLE registration_terms RENAME TO gone")))
        client = TestClient(broken.app, base_url="http://localhost", raise_server_exceptions=False)
        for lang in ("en", "km"):
            answer = client.get(f"/{lang}/{SLUG}")
            assert answer.status_code == 500
            page = Page(answer.text)
            assert page.one("html").attributes["lang"] == lang
            assert re.search(r"\b[0-9a-f]{16}\b", page.text)
            for word in ("Traceback", "sqlite", "registration_terms", "SELECT"):
                assert word not in answer.text
            assert answer.headers["cache-control"] == "private, no-store"


def test_a_host_that_is_not_ours_is_refused(doors: Doors) -> None:
    for host in ("evil.example", "localhost.evil.example", "", "localhost@evil.example", "[::1", "x" * 3000):
        assert doors.get("/login", headers={"host": host}).status_code == 400
        kept_page = doors.get(f"/en/{SLUG}", headers={"host": host})
        assert kept_page.status_code == 400 or kept_page.content == doors.get(f"/en/{SLUG}").content
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:99"):
        assert doors.get(f"/en/{SLUG}", headers={"host": host}).status_code == 200


def test_registration_that_is_not_open_takes_nothing(doors: Doors, clock: Clock) -> None:
    form = registering(doors)
    before = doors.rows()
    for moved in (timedelta(days=-60), timedelta(days=115)):
        clock.at = NOW + moved
        fresh = codes.seal(
            SECRET, f"form/register/{SLUG}/STU/", f"{int(clock.at.timestamp() * 1000)}-{codes.public_code(20)}"
        )
        assert doors.post(form.address, fields=form.but(form=fresh, email="late@elsewhere.example")).status_code == 422
    clock.at = NOW
    invited = f"/en/{SLUG}/register/thk"
    sealed = codes.seal(SECRET, f"form/register/{SLUG}/THK/", f"{int(NOW.timestamp() * 1000)}-{codes.public_code(20)}")
    assert doors.post(invited, fields=good(form=sealed, email="late@elsewhere.example")).status_code == 422
    assert doors.rows() == before
