"""Every page that a GET answers, in both languages: what all of them promise, and what published and secret ones do."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.editions.form import ForumFile
from app.kit import clock
from app.kit.i18n import catalogue
from app.web.headers import CONTENT_SECURITY_POLICY
from tests.breadth import SOAK, some
from tests.cast import NOW, SLUG
from tests.doors import KHMER, Doors, Page, Shown, furnish, open_doors, places

LANGS = ("en", "km")
LOADS = {"img": "src", "script": "src", "iframe": "src", "source": "srcset", "video": "src", "object": "data"}
SECRET = (
    "/login",
    "/account",
    "/desk",
    "/api",
    "/{lang}/my",
    "/{lang}/invitations",
    "/{lang}/delegations",
    "/{lang}/speaking",
)
SECRET += ("/{lang}/unsubscribe",)
FILES = (".ics", ".pdf", ".png", ".jpg", ".{kind}", ".json", ".xml", ".csv", ".atom", ".txt")
FILES += ("/files/{number}", "/{language}")
LIVE = {"/{lang}/{forum}/register", "/{lang}/{forum}/register/{category}"}
"""Open to everybody, but true only now: how the seats stand, and a form of its own each time."""


class Seen:
    """Every page of a site, fetched once: (path, address, language) → the answer and the page.

    Of the addresses of one path, the same page in other states, a usual run looks at every second in Khmer, and in
    English at one in four of the others: what goes wrong in one language alone is mostly the Khmer.
    """

    def __init__(self, doors: Doors, shown: Shown) -> None:
        self.doors, self.shown = doors, shown
        self.answers: dict[tuple[str, str, str], Any] = {}
        for lang in LANGS:
            for path, addresses in places(doors, shown, lang).items():
                few = some(addresses, 0, each=2) if lang == "km" else some(addresses, 1, each=4)
                for address in few or addresses[:1]:
                    self.answers[path, address, lang] = doors.get(address, self.who(path))
        self.pages = {place: Page(answer.text) for place, answer in self.answers.items()}

    @staticmethod
    def who(path: str) -> str:
        """Whoever looks: the pages of signing in are for those who have not."""
        return "owner" if path.startswith(("/desk", "/account")) else ""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Seen]:
    with (
        clock.reading(lambda: NOW),
        open_doors(loaded_file, tmp_path_factory.mktemp("pages"), forum_file, SMTP_URL="smtp://127.0.0.1:9") as doors,
    ):
        yield Seen(doors, furnish(doors))


def is_secret(path: str) -> bool:
    return path.startswith(SECRET)


def nothing_wrong(seen: Seen, fault: Any) -> None:
    """Fails with what `fault(path, lang, answer, page)` finds wrong, by address."""
    found = {
        address: said
        for (path, address, lang), page in seen.pages.items()
        if (said := fault(path, lang, seen.answers[path, address, lang], page))
    }
    if found:
        lines = [f"{address}: {str(said)[:300]}" for address, said in list(found.items())[:12]]
        pytest.fail("\n".join([f"{len(found)} of {len(seen.pages)} pages", *lines]), pytrace=False)


def test_every_path_of_the_site_that_answers_with_a_page_is_looked_at_here(seen: Seen) -> None:
    read = {path for method, path in seen.doors.routes if method == "GET"}
    files = {path for path in read if path.endswith(FILES)}
    others = {
        "/static/{rest:path}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/",
        "/login/code",
    }  # the last is for half a login: tests/web/test_second_factor.py
    looked_at = set(places(seen.doors, seen.shown, "en"))
    assert {path for method, path in seen.doors.routes if method == "GET"} == looked_at | files | others
    assert len(seen.pages) > 150


def test_every_page_is_there_as_html_in_its_language(seen: Seen) -> None:
    def fault(_path: str, lang: str, answer: Any, page: Page) -> Any:
        html = page.all("html", lang=lang)
        right = answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
        return None if right and len(html) == 1 and answer.headers["content-language"] == lang else answer.status_code

    nothing_wrong(seen, fault)


def test_every_page_is_well_nested_with_unique_ids_and_one_first_heading(seen: Seen) -> None:
    def fault(_path: str, _lang: str, _answer: Any, page: Page) -> Any:
        twice = {each for each in page.ids if page.ids.count(each) > 1}
        headings = [element.text for element in page.all("h1")]
        return page.misnested or twice or (headings if len(headings) != 1 or not headings[0] else None)

    nothing_wrong(seen, fault)


def test_everything_a_page_points_at_within_itself_is_there(seen: Seen) -> None:
    def fault(_path: str, _lang: str, _answer: Any, page: Page) -> Any:
        pointed = [href[1:] for href in page.links if href.startswith("#")]
        for element in page.elements:
            for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
                pointed += element.attributes.get(name, "").split()
        return [each for each in pointed if each not in page.ids]

    nothing_wrong(seen, fault)


def test_every_field_has_a_name_that_can_be_read(seen: Seen) -> None:
    def fault(_path: str, _lang: str, _answer: Any, page: Page) -> Any:
        labelled = {element.attributes.get("for") for element in page.all("label") if element.text}
        fields = [*page.all("input"), *page.all("select"), *page.all("textarea")]
        return [
            field.attributes
            for field in fields
            if field.attributes.get("type") != "hidden" and field.attributes.get("id") not in labelled
        ]

    nothing_wrong(seen, fault)


def test_every_title_says_what_the_page_is(seen: Seen) -> None:
    def fault(_path: str, _lang: str, _answer: Any, page: Page) -> Any:
        title, heading = page.all("title")[0].text, page.one("h1").text
        return None if len(title) >= 5 and title != "Sala" else (title, heading)

    nothing_wrong(seen, fault)
    titles = {lang: {} for lang in LANGS}  # type: dict[str, dict[str, set[str]]]
    for (path, _, lang), page in seen.pages.items():
        titles[lang].setdefault(page.all("title")[0].text, set()).add(path)
    # asking for a link and using it are two steps of one thing
    for found in titles.values():
        for paths in found.values():
            paths.discard("/login/{link}")
    shared = {title: paths for lang in LANGS for title, paths in titles[lang].items() if len(paths) > 1}
    assert shared == {}, "one title for pages of different kinds"


def test_every_page_leads_to_its_twin_and_back(seen: Seen) -> None:
    twins: dict[tuple[str, str], Page] = {}
    followed: set[str] = set()

    def fault(path: str, lang: str, _answer: Any, page: Page) -> Any:
        other = "km" if lang == "en" else "en"
        link = page.one("a", class_="twin")
        if link.attributes["hreflang"] != other or link.attributes["lang"] != other:
            return link.attributes
        href = link.attributes["href"]
        known = next((found for place, found in seen.pages.items() if place[1] == href), None)
        if known is None and path in followed and not SOAK:
            return None
        followed.add(path)
        twin = known or twins.setdefault((href, path), seen.doors.page(href, seen.who(path)))
        return None if twin.all("html", lang=other) else href

    nothing_wrong(seen, fault)


@cache
def english() -> list[str]:
    """The sentences of the English catalogue that stand for nothing else: long, and other than the Khmer ones."""
    found = []
    for key, text in catalogue("en").items():
        both = catalogue("km")[key]
        for each in [text] if isinstance(text, str) else text.values():
            longest = max(re.split(r"\{[a-z_]+\}|\n", each), key=len).strip()
            if (
                len(longest) >= 8
                and not KHMER.search(each)
                and each not in ([both] if isinstance(both, str) else both.values())
            ):
                found.append(longest)
    return found


PLACEHOLDERS = {"/desk/{forum}/messages/{template}", "/desk/{forum}/mailings/{number}"}
"""Where organisers write them."""


def test_no_khmer_page_speaks_english_from_the_catalogue_and_no_page_shows_a_key(seen: Seen) -> None:
    rooms = "|".join(sorted({key.partition(".")[0] for key in catalogue("en")}))
    key = re.compile(rf"\b(?:{rooms})\.[a-z_]+\.[a-z_.]+")

    def fault(path: str, lang: str, _answer: Any, page: Page) -> Any:
        said = " ".join(text for within, text in page.spoken if within == "km")
        left = [text for text in english() if text in said] if lang == "km" else []
        braces = "{" in page.text and path not in PLACEHOLDERS and path != "/api/docs"  # which shows JSON
        return left or key.findall(page.text) or (braces and page.text)

    assert len(english()) > 200
    nothing_wrong(seen, fault)


def test_khmer_on_an_english_page_is_marked_as_khmer(seen: Seen) -> None:
    def fault(_path: str, lang: str, _answer: Any, page: Page) -> Any:
        return [text for within, text in page.spoken if within != "km" and KHMER.search(text)] if lang == "en" else []

    nothing_wrong(seen, fault)


def test_every_answer_carries_the_strict_content_policy_and_its_companions(seen: Seen) -> None:
    def fault(_path: str, _lang: str, answer: Any, _page: Page) -> Any:
        asked = {
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "same-origin",
        }
        return {name: answer.headers.get(name) for name, value in asked.items() if answer.headers.get(name) != value}

    nothing_wrong(seen, fault)
    directives = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert set(directives.values()) == {"'none'", "'self'"}


def test_no_page_has_script_or_style_inside_it_nor_loads_anything_from_elsewhere(seen: Seen) -> None:
    def fault(_path: str, _lang: str, _answer: Any, page: Page) -> Any:
        found = [element for element in page.elements if "style" in element.attributes or element.name == "style"]
        found += [element for element in page.elements if any(name.startswith("on") for name in element.attributes)]
        scripts = [element for element in page.all("script") if element.attributes.get("type") != "application/ld+json"]
        found += [element for element in scripts if element.text or "src" not in element.attributes]
        found += [element for element in page.all("a") if element.attributes["href"].startswith("javascript:")]
        loaded = [(element, element.attributes.get(LOADS.get(element.name, ""))) for element in page.elements]
        named = {"canonical", "alternate"}  # said, not loaded
        loaded += [(each, each.attributes["href"]) for each in page.all("link") if each.attributes["rel"] not in named]
        loaded += [(each, each.attributes.get("action", "/")) for each in page.all("form")]
        loaded += [(each, each.attributes.get("formaction", "/")) for each in page.all("button")]
        return found + [each for each, address in loaded if address and not re.match(r"/(?!/)", address)]

    nothing_wrong(seen, fault)


def test_what_is_published_has_a_strong_etag_and_comes_byte_for_byte_again(seen: Seen) -> None:
    def fault(path: str, _lang: str, answer: Any, _page: Page) -> Any:
        if is_secret(path) or path in LIVE or "q=" in str(answer.url):
            return None
        address = str(answer.url).removeprefix("http://localhost")
        again = seen.doors.get(address)
        tag = answer.headers.get("etag", "")
        unchanged = seen.doors.get(address, headers={"if-none-match": tag})
        without = seen.doors.ask("HEAD", address)
        right = (
            re.fullmatch(r'"[^"]+"', tag)
            and (again.content, again.headers["etag"]) == (answer.content, tag)
            and "public" in answer.headers["cache-control"]
            and (unchanged.status_code, unchanged.content) == (304, b"")
            and (without.status_code, without.content, without.headers["etag"]) == (200, b"", tag)
            and "set-cookie" not in answer.headers
        )
        return None if right else dict(answer.headers)

    nothing_wrong(seen, fault)


def test_what_is_secret_is_stored_by_nobody_and_found_by_no_search_engine(seen: Seen) -> None:
    def fault(path: str, _lang: str, answer: Any, page: Page) -> Any:
        if not is_secret(path):
            return None
        robots = [element.attributes["content"] for element in page.all("meta", name="robots")]
        right = answer.headers["cache-control"] == "private, no-store" and "etag" not in answer.headers
        return None if right and robots == ["noindex"] else (answer.headers["cache-control"], robots)

    nothing_wrong(seen, fault)


def test_how_the_seats_stand_is_asked_anew_each_time_and_a_form_is_stored_by_nobody(seen: Seen) -> None:
    choose, form = (seen.doors.get(f"/en/{SLUG}/register{tail}").headers["cache-control"] for tail in ("", "/stu"))
    assert "max-age=0" in choose
    assert "must-revalidate" in choose
    assert form == "private, no-store"
    assert seen.doors.seal(f"/en/{SLUG}/register/stu") != seen.doors.seal(f"/en/{SLUG}/register/stu")


def test_a_public_page_is_the_same_for_whoever_looks_at_it(seen: Seen) -> None:
    """Rendered anew for each: what the first of them is shown would be kept for all others. Of the addresses of one
    path each other one is looked at, in one language and in the other in turn; all of them in a soak."""
    layer: Any = seen.doors.client.app
    looked_at = set()
    turn = count()

    def rendered(address: str, who: str) -> Any:
        for key in [*layer._kept]:
            layer._drop(key)
        return seen.doors.get(address, who)

    def fault(path: str, _lang: str, answer: Any, _page: Page) -> Any:
        if is_secret(path) or path == "/{lang}/{forum}/register/{category}":  # a form of its own each time
            return None
        if path in looked_at and next(turn) % 2 and not SOAK:
            return None
        address = str(answer.url).removeprefix("http://localhost")
        looked_at.add(path)
        owners, nobodys = rendered(address, "owner"), rendered(address, "")
        told = [
            {k: v for k, v in each.headers.items() if k not in {"x-request-id", "date"}} for each in (owners, nobodys)
        ]
        right = owners.content == nobodys.content and told[0] == told[1]
        return None if right else (address, owners.status_code, nobodys.status_code)

    nothing_wrong(seen, fault)
    assert len(looked_at) > 10
    for file in (f"/en/{SLUG}/calendar.ics", f"/km/{SLUG}/programme.json", "/sitemap.xml"):
        owners, nobodys = rendered(file, "owner"), rendered(file, "")
        assert (owners.status_code, owners.content) == (200, nobodys.content)


MOST_ALIKE = 20 if SOAK else 1
"""So many links that differ in a code, number or secret alone are followed: the same line of a template makes them. In
a usual run what is asked for behind the path is alike as well, and every second of those that are left is followed."""


def test_every_link_within_the_site_leads_somewhere(seen: Seen) -> None:
    followed = {address: answer.status_code for (_, address, _), answer in seen.answers.items()}
    kinds: Counter[str] = Counter()

    def fault(path: str, lang: str, answer: Any, page: Page) -> Any:
        if lang == "km" and path.startswith(("/desk", "/account")) and not SOAK:
            return []  # the same links as on the page in English, which leads to this one
        dead = []
        for href in page.links:
            parts = urlsplit(href)
            if parts.scheme or parts.netloc or href.startswith("#"):
                continue
            if not href.startswith("/"):
                dead.append(href)
                continue
            address = href.partition("#")[0]
            if address not in followed:
                alike = re.sub(r"[^/?&=]*\d[^/?&=]*|[a-z2-7]{32}|[A-Z0-9]{7}", "*", address)
                alike = alike if SOAK else re.sub(r"=[^&]*", "=*", alike)
                kinds[alike] += 1
                if kinds[alike] > MOST_ALIKE or (len(kinds) % 2 and not SOAK):
                    continue
                followed[address] = seen.doors.get(address, "owner" if "/desk" in address else "").status_code
            if followed[address] not in {200, 303}:
                dead.append(href)
        return sorted(set(dead))

    nothing_wrong(seen, fault)
    assert len(followed) > 200


FINAL = {
    "/desk/{forum}/hold-backs": "/release",
    "/desk/{forum}/duplicates/{first}/{second}": "/merge",
    "/desk/{forum}/invitations/{code}": "/renewal",
    "/desk/{forum}/delegations/{code}": "/renewal",
    "/desk/{forum}/sign-ups/{code}": "/removal",
    "/{lang}/delegations/{secret}": ("/seats", "/calendar"),
    "/{lang}/my/{secret}/companions": "/removal",
}
"""Pages with forms that cannot be taken back, and how these forms' addresses end."""


def test_what_cannot_be_taken_back_stands_behind_its_name_with_what_happens(seen: Seen) -> None:
    shown = set()

    def one_click_away(path: str, lang: str, _answer: Any, page: Page) -> str:
        endings = FINAL.get(path)
        if endings is None:
            return ""
        open_to_all = re.sub(r"<details.*?</details>", "", page.html, flags=re.DOTALL)
        for ending in (endings,) if isinstance(endings, str) else endings:
            addressed = rf'action="[^"]*{ending}"'
            if re.search(addressed, page.html):
                shown.add((path, ending, lang))
            found = re.findall(rf"<form[^>]*{addressed}.*?</form>|<button[^>]*{addressed}", open_to_all, re.DOTALL)
            if any("<button" in form for form in found):
                return f"{ending} with one click"
        return ""

    nothing_wrong(seen, one_click_away)
    wanted = {(path, ends) for path, each in FINAL.items() for ends in ((each,) if isinstance(each, str) else each)}
    assert {(path, ending) for path, ending, _ in shown} == wanted
