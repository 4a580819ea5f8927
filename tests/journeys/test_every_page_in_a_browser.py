"""Every kind of page as people see it: no violation of the accessibility rules, nothing wider than a phone."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe

from app.kit.i18n import text_of
from tests.breadth import SOAK, some
from tests.cast import SLUG
from tests.doors import places
from tests.journeys.conftest import DESK, PHONE, Furnished

pytestmark = pytest.mark.browser
MORE = ("/login?lang={lang}", "/{lang}/no-such-page", "/{lang}/" + SLUG + "/programme/D9-99")
VIEWS = (("en", DESK, "light"), ("km", PHONE, "dark"))
"""The main kinds of pages in both; of the others, which are made of the same parts, one in 24 in the view it is
mostly seen in, the desk's in the first and the public's in the second, and all of them in a soak. Contrast follows from
the scheme's colours, names and structure from the language, what is shown from the width: none of them from how the
three go together."""
MAIN = {"/desk/{forum}", "/desk/{forum}/registrations", "/desk/{forum}/registrations/{code}"}
MAIN |= {f"/{{lang}}/{{forum}}{tail}" for tail in ("", "/programme", "/programme/{code}", "/speakers", "/calendar")}
MAIN |= {f"/{{lang}}/{{forum}}/register{tail}" for tail in ("", "/{category}")}
MAIN |= {"/{lang}/my/{secret}", "/{lang}/delegations/{secret}", "/{lang}/speaking/{secret}", "/login"}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "wcag2aaa", "best-practice"],
    "rules": {"color-contrast": {"enabled": False}, "color-contrast-enhanced": {"enabled": False}},
    "resultTypes": ["violations"],
}
"""WCAG 2.2 at level AA, the contrast of level AAA, and what axe-core's makers advise; of the rest only one line each,
which takes a fraction of the time. Contrast is measured once, for level AAA: its rule leaves what fails level AA to
that level's own unless it is told to look at all."""
CONTRAST = {
    "id": "color-contrast-enhanced",
    "options": {
        "ignoreUnicode": True,
        "ignoreLength": False,
        "ignorePseudo": False,
        "boldValue": 700,
        "boldTextPt": 14,
        "largeTextPt": 18,
        "contrastRatio": {"normal": {"expected": 7}, "large": {"expected": 4.5}},
        "pseudoSizeThreshold": 0.25,
        "shadowOutlineEmMax": 0.2,
        "textStrokeEmMin": 0.03,
    },
}
AXE = Axe(f"{AXE_SCRIPT};axe.configure({json.dumps({'checks': [CONTRAST]})})")
MOST_ROWS = 1000 if SOAK else 4
"""Of a table's rows, a list's lines and a field's choices so many are looked at: the ones after them are made by the
same lines of the same template."""
ALIKE = "tbody > tr, ul > li, ol > li, option, .operation"
CUT = f"document.querySelectorAll(':is({ALIKE}):nth-child(n+{MOST_ROWS + 1})').forEach(each => each.remove())"

UNSTUCK = "document.querySelectorAll('.numbers > .buttons').forEach(bar => { bar.style.position = 'static' })"
"""A bar that stays in sight covers whichever field lies under it at this height of the window, until one scrolls."""


UNCOVERED = "document.querySelector('.numbers > .buttons')?.scrollIntoView()"
"""A bar that stays at the foot of the window covers whatever happens to lie there: it is brought to its own place."""


def _most(path: str) -> int:
    """So many addresses of one path: a personal page tells another thing in every state."""
    return 8 if "/my/" in path or SOAK else 1


def kinds(furnished: Furnished, lang: str) -> list[str]:
    """Addresses of the main kinds of pages, of every kind in a soak: a few of each path, and what is not there."""
    paths = places(furnished.doors, furnished.shown, lang)
    some = [
        address for path, addresses in paths.items() if SOAK or path in MAIN for address in addresses[: _most(path)]
    ]
    return some + [address.format(lang=lang) for address in MORE]


def sign_in(furnished: Furnished, tab: Any) -> None:
    login = {"name": "sala_login", "value": furnished.doors.login_of("owner"), "url": furnished.address}
    tab.context.add_cookies([login])


def opened(furnished: Furnished, tab: Any, address: str) -> None:
    """The page at this address, as whoever it is for sees it."""
    if address.startswith("/login"):
        tab.context.clear_cookies()
    tab.goto(address)
    assert urlsplit(tab.url).path == urlsplit(address).path
    tab.evaluate(UNCOVERED)


def faulty_form(tab: Any, lang: str) -> None:
    """A form to register after it was refused."""
    tab.goto(f"/{lang}/{SLUG}/register/stu")
    tab.fill("#email", "nonsense")
    tab.fill("#phone", "nonsense")
    tab.click("form.form button[type=submit]")
    assert tab.locator("#errors li").count() >= 3


def form_sent(tab: Any, lang: str) -> None:
    """The answer to a registration."""
    tab.goto(f"/{lang}/{SLUG}/register/int")
    tab.fill("#email", f"axe-{lang}@elsewhere.example")
    tab.fill("#family_name", "Heng")
    tab.check("#consent")
    tab.click("form.form button[type=submit]")
    assert tab.locator("form.form").count() == 0


CONTRAST_ALONE = {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}, "resultTypes": ["violations"]}
FRESH = """([known, rule]) => {
  const seen = new Set(known), stacks = new Map([[null, '']]), fresh = [];
  const stack = each => {
    if (!stacks.has(each)) {
      const on = getComputedStyle(each);
      const own = [on.backgroundColor, on.backgroundImage, on.opacity, on.position === 'static' ? '' : on.position];
      stacks.set(each, stack(each.parentElement) + (String(own) === 'rgba(0, 0, 0, 0),none,1,' ? '' : own + ';'));
    }
    return stacks.get(each);
  };
  for (const each of document.body.querySelectorAll('*')) {
    if (![...each.childNodes].some(part => part.nodeType === 3 && part.data.trim())) continue;
    const on = getComputedStyle(each);
    const looks = [on.color, on.fontSize, on.fontWeight, on.textShadow, each.disabled, stack(each)].join('|');
    if (seen.has(looks)) continue;
    seen.add(looks);
    fresh.push(each);
  }
  return axe.run({include: fresh.length ? fresh : ['title']}, rule)
    .then(said => [fresh.length ? said.violations : [], [...seen]]);
}"""
"""Contrast follows from a text's colour, size and weight and from what lies behind it: each of these together is
measured once in a view, in a soak once a page. It takes most of the time that axe-core takes."""
AROUND = {"include": [["html"]], "exclude": [["header.head"], ["nav.menu"], ["footer.foot"]]}
"""A page without what stands around it: that is the same on every page, and is looked at on the first of each view."""
FOUND = "([where, rules]) => axe.run(where, rules).then(said => said.violations)"


def violations(tab: Any, measured: set[str], *, inside: bool = False) -> list[str]:
    """What axe-core finds wrong with the page in sight, or only `inside` it, each with its first place. Of its texts
    those whose contrast was not `measured` yet; they are then."""
    tab.evaluate(CUT)
    tab.evaluate(UNSTUCK)
    tab.evaluate(AXE.axe_script)
    found = tab.evaluate(FOUND, [AROUND if inside else {"include": [["html"]]}, RULES])
    pale, looks = tab.evaluate(FRESH, [[] if SOAK else [*measured], CONTRAST_ALONE])
    measured.update(looks)
    found += pale
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:150]} {each['nodes'][0].get('failureSummary', '')[:200]}"
        for each in found
    ]


def too_wide(tab: Any, size: dict[str, int]) -> list[int]:
    """By how many pixels the page in sight is wider than a telephone, if it is; the window is `size` again after."""
    tab.set_viewport_size(PHONE)
    over = tab.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    tab.set_viewport_size(size)
    return [over] if over > 0 else []


@pytest.mark.parametrize(
    ("lang", "size", "scheme"), VIEWS, ids=lambda part: str(part) if isinstance(part, str) else str(part["width"])
)
def test_axe_finds_nothing_wrong_with_any_kind_of_page(
    furnished: Furnished, browse: Callable[..., Any], lang: str, size: dict[str, int], scheme: str
) -> None:
    # axe is a script of ours in this one context; the pages' own policy, which would refuse it, is tested elsewhere
    tab = browse(furnished.address, viewport=size, color_scheme=scheme, bypass_csp=True)
    sign_in(furnished, tab)
    found: dict[str, list[str]] = {}
    chosen = [MORE[1].format(lang=lang)]
    paths = places(furnished.doors, furnished.shown, lang)
    others = [path for path in paths.keys() - MAIN if path.startswith(("/desk", "/account")) == (size is DESK)]
    for path in paths if SOAK else [*MAIN, *some(sorted(others), 0, each=24)]:
        chosen += paths[path][: 8 if SOAK else 3 if path == "/{lang}/my/{secret}" else 1]
    whole, measured = set(), set[str]()
    for address in sorted(chosen, key=lambda each: each.startswith("/login")):
        opened(furnished, tab, address)
        around = tab.evaluate(
            "document.querySelector('nav.menu')?.getAttribute('aria-label') + document.body.className"
        )
        found[address] = violations(tab, measured, inside=around in whole)
        found[address] += [f"wider than a phone by {over}" for over in too_wide(tab, size)]
        whole.add(around)
    for name, make in (("faulty form", faulty_form), ("form sent", form_sent)):
        make(tab, lang)
        found[name] = violations(tab, measured)
    assert {address: wrong for address, wrong in found.items() if wrong} == {}


def test_what_axe_would_find_is_found(furnished: Furnished, browse: Callable[..., Any]) -> None:
    tab = browse(furnished.address, bypass_csp=True)
    tab.goto(f"/en/{SLUG}/register/stu")
    tab.evaluate("document.querySelector('label[for=email]').remove()")
    for color in ("#ccc", "#888"):  # one that fails every level, and one that fails the highest alone
        tab.evaluate(f"document.querySelector('h1').style.color = '{color}'")
        found = {each.partition(":")[0] for each in violations(tab, set())}
        assert found >= {"label", "color-contrast-enhanced"}, color


@pytest.mark.parametrize("lang", some(["en", "km"], 1, each=2))
def test_on_paper_the_desks_list_has_its_question_and_no_controls(
    furnished: Furnished, browse: Callable[..., Any], lang: str
) -> None:
    tab = browse(furnished.address, viewport={"width": 680, "height": 960})
    sign_in(furnished, tab)
    tab.goto(f"/desk/{SLUG}/registrations?q=example&lang={lang}")
    controls = tab.locator("nav, form, input, select, button, .twin, .skip")
    assert any(control.is_visible() for control in controls.all())
    assert not tab.locator(".printed").is_visible()
    tab.emulate_media(media="print")
    assert [control.inner_html() for control in controls.all() if control.is_visible()] == []
    head = tab.inner_text(".printed")
    assert "“example”" in head or "«example»" in head
    assert tab.locator("h1").is_visible()
    assert tab.locator("tbody tr").count() > 0


@pytest.mark.parametrize(("lang", "desk"), [("en", False), ("km", True)], ids=["public-en", "desk-km"])
def test_no_page_is_wider_than_a_phone(
    furnished: Furnished, browse: Callable[..., Any], lang: str, *, desk: bool
) -> None:
    """The public's pages in the language in which they are not held against the accessibility rules above, where each
    is measured too; the desk's likewise. The main ones, in a soak all."""
    tab = browse(furnished.address, viewport=PHONE, is_mobile=True)
    sign_in(furnished, tab)
    wide = {}
    chosen = [each for each in kinds(furnished, lang) if each.startswith(("/desk", "/account")) == desk]
    for address in sorted(chosen, key=lambda each: each.startswith("/login")):
        opened(furnished, tab, address)
        width = tab.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        if width > 0 or tab.evaluate("window.innerWidth") != PHONE["width"]:
            wide[address] = (width, tab.evaluate("window.innerWidth"))
    faulty_form(tab, lang)
    assert tab.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    assert len(chosen) > (20 if SOAK else 2 if desk else 12)
    assert wide == {}


@pytest.mark.parametrize("lang", some(["en", "km"], 0, each=2))
def test_the_desks_figures_and_questions_are_whole_on_a_phone(
    furnished: Furnished, browse: Callable[..., Any], lang: str
) -> None:
    tab = browse(furnished.address, viewport=PHONE, is_mobile=True)
    sign_in(furnished, tab)
    for page in (f"/desk/{SLUG}?lang={lang}", f"/desk/{SLUG}/questions?lang={lang}", "trial"):
        if page == "trial":
            tab.goto(f"/desk/{SLUG}/seats?lang={lang}")
            tab.press("#capacity", "Enter")
            tab.wait_for_selector("#trial")
        else:
            tab.goto(page)
        assert tab.locator(".table").count() > 0, page
        cut = tab.evaluate("[...document.querySelectorAll('.table')].map(e => e.scrollWidth - e.clientWidth)")
        assert max(cut) <= 0, page
    tab.goto(f"/desk/{SLUG}?lang={lang}")
    for name in ("left", "awaiting", "waiting"):
        label = text_of(lang, f"desk.seats.{name}")
        assert tab.locator(f'td[data-label="{label}"]').first.is_visible()
