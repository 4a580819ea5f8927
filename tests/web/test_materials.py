"""Materials as readers meet them: lists, files whole and in part, from the very instant of their release."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.actor import Actor
from app.editions.form import ForumFile
from app.kit.i18n import Bilingual
from app.programme import sharing
from app.programme.materials import PIECE
from app.registration.picking import pick
from app.web.published import Published
from app.web.ranges import NotSatisfiable, range_of
from tests.cast import NOW, SLUG, the_forum
from tests.conftest import Clock
from tests.doors import ELSEWHERE, Doors, open_doors
from tests.papers import make_material, pdf

BODY = pdf("ខ្មែរ " + "0123456789" * (PIECE // 10 + 50))
LIST = f"/en/{SLUG}/materials"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Doors]:
    with open_doors(loaded_file, tmp_path_factory.mktemp("materials"), forum_file) as found:
        yield found


def shared(doors: Doors, **changes: Any) -> str:
    """A material's code."""
    code = doors.write(SLUG, lambda db: make_material(db, {"en": BODY}, **changes))
    a_second_later(doors)
    return str(code)


def removed(doors: Doors, code: str) -> None:
    doors.write(SLUG, lambda db: sharing.remove(db, Actor.operator(), the_forum(db), code, now=NOW))
    a_second_later(doors)


def a_second_later(doors: Doors) -> None:
    """The bytes layer looks for new revisions again."""
    layer: Any = doors.client.app
    while not isinstance(layer, Published):
        layer = layer.app
    layer._looked = float("-inf")


def test_a_paper_stands_on_the_forums_page_with_its_session_and_in_the_list(doors: Doors) -> None:
    words = Bilingual("A telltale title", "ចំណងជើងសម្គាល់")
    of_forum, of_session = shared(doors, title=words), shared(doors, title=words, session="D1-07", kind="slides")
    for page, code in ((f"/en/{SLUG}", of_forum), (f"/en/{SLUG}/programme/D1-07", of_session)):
        found = doors.page(page)
        assert "A telltale title" in found.text
        assert f"{LIST}/{code}/en" in found.links
    assert {f"{LIST}/{of_forum}/en", f"{LIST}/{of_session}/en"} <= set(doors.page(LIST).links)
    assert "ចំណងជើងសម្គាល់" in doors.page(f"/km/{SLUG}/materials").text
    assert "A telltale title" not in doors.page(f"/en/{SLUG}/programme/D1-08").text
    assert "nothing to read" in doors.page(f"/en/{ELSEWHERE}/materials").text


def test_a_file_is_for_saving_under_a_name_of_ours_and_nothing_in_it_can_run(doors: Doors) -> None:
    code = shared(doors, session="D1-07")
    answer = doors.get(f"{LIST}/{code}/en")
    assert answer.status_code == 200
    assert answer.content == BODY
    told = answer.headers
    assert told["content-type"] == "application/pdf"
    assert told["content-disposition"] == f'attachment; filename="{SLUG}-d1-07-paper-{code.lower()}-en.pdf"'
    assert told["content-security-policy"] == "sandbox; default-src 'none'"
    assert told["x-content-type-options"] == "nosniff"
    assert told["cache-control"] == "public, max-age=0, must-revalidate"
    assert told["accept-ranges"] == "bytes"
    assert "set-cookie" not in told
    head = doors.ask("HEAD", f"{LIST}/{code}/en")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(BODY)))
    assert head.headers["etag"] == told["etag"]


def test_an_unchanged_file_is_not_sent_again(doors: Doors) -> None:
    address = f"{LIST}/{shared(doors)}/en"
    told = doors.get(address).headers
    for asked in (
        {"if-none-match": told["etag"]},
        {"if-none-match": f'"other", W/{told["etag"]}'},
        {"if-modified-since": told["last-modified"]},
    ):
        again = doors.get(address, headers=asked)
        assert (again.status_code, again.content) == (304, b"")
    other = {"if-none-match": '"other"', "if-modified-since": told["last-modified"]}
    assert doors.get(address, headers=other).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        (f"bytes={PIECE - 2}-{PIECE + 1}", PIECE - 2, PIECE + 1),
        (f"bytes={PIECE}-", PIECE, len(BODY) - 1),
        ("bytes=-5", len(BODY) - 5, len(BODY) - 1),
        (f"bytes=5-{10**17}", 5, len(BODY) - 1),
        ("Bytes=3-3", 3, 3),
    ],
)
def test_a_range_is_answered_with_just_its_bytes(doors: Doors, asked: str, first: int, last: int) -> None:
    answer = doors.get(f"{LIST}/{shared(doors)}/en", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(BODY)}"
    assert answer.content == BODY[first : last + 1]


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "items=0-5",
        "bytes=0-0,5-9",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)),
        "bytes=" + "9" * 4000 + "-",
        "bytes=٣-٥",
    ],
    ids=range(9),
)
def test_what_is_no_single_range_is_answered_with_the_whole(doors: Doors, asked: str) -> None:
    answer = doors.get(f"{LIST}/{shared(doors)}/en", headers={"range": asked.encode()})
    assert (answer.status_code, len(answer.content)) == (200, len(BODY))


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=-0", "bytes=999999999999-"])
def test_a_range_behind_the_end_is_refused_with_the_length(doors: Doors, asked: str) -> None:
    answer = doors.get(f"{LIST}/{shared(doors)}/en", headers={"range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(BODY)}")
    assert answer.content == b""


def test_a_range_of_a_file_that_was_replaced_is_the_whole_of_the_new_one(doors: Doors) -> None:
    address = f"{LIST}/{shared(doors)}/en"
    told = doors.get(address).headers
    for condition, status in (
        (told["etag"], 206),
        (told["last-modified"], 206),
        ('"another"', 200),
        (f"W/{told['etag']}", 200),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 200),
        ("nonsense", 200),
    ):
        answer = doors.get(address, headers={"range": "bytes=0-3", "if-range": condition})
        assert (condition, answer.status_code) == (condition, status)


def test_before_its_release_a_paper_is_announced_and_from_that_instant_on_it_can_be_read(
    doors: Doors, clock: Clock
) -> None:
    at = NOW + timedelta(hours=1)
    words = Bilingual("Embargoed but announced", "ប្រកាសហើយ")
    quiet = shared(doors, title=Bilingual("Embargoed and quiet", "ស្ងាត់"), release="at", release_at=at)
    code = shared(doors, title=words, release="at", release_at=at, announced=True)
    session = shared(doors, title=words, release="at", release_at=at, announced=True, session="D1-08")
    pages = (LIST, f"/en/{SLUG}", f"/en/{SLUG}/programme/D1-08")
    for _ in range(2):  # the second answer is kept bytes
        for page in pages:
            text = doors.get(page).text
            assert "Embargoed but announced" in text
            assert "Embargoed and quiet" not in text
            assert not any(each in text for each in (f"{code}/en", f"{session}/en", quiet))
    assert [doors.get(f"{LIST}/{each}/en").status_code for each in (code, quiet)] == [404, 404]
    clock.at = at
    assert "Embargoed and quiet" in doors.get(LIST).text, "the kept page has ended with the release"
    assert f"{session}/en" in doors.get(pages[2]).text
    assert f"{code}/en" in doors.get(pages[1]).text
    assert [doors.get(f"{LIST}/{each}/en").status_code for each in (code, quiet)] == [200, 200]


def test_what_was_removed_or_belongs_elsewhere_is_not_found(doors: Doors) -> None:
    code = shared(doors)
    address = f"{LIST}/{code}/en"
    for wrong in (
        f"{LIST}/{code}/km",
        f"{LIST}/{code}/fr",
        f"/en/{ELSEWHERE}/materials/{code}/en",
        f"{LIST}/{code.lower()}/en",
        f"{LIST}/NOSUCH9/en",
        f"{LIST}/..%2f..%2fetc/passwd",
    ):
        assert doors.get(wrong).status_code == 404, wrong
    assert doors.get(address).status_code == 200
    removed(doors, code)
    assert doors.get(address).status_code == 404
    assert code not in doors.get(LIST).text


def test_whoever_is_admitted_to_a_closed_session_reads_its_papers_on_their_own_page_alone(doors: Doors) -> None:
    code = shared(doors, session="C-01", title=Bilingual("Behind closed doors", "បិទទ្វារ"))
    admitted, other = doors.confirmed(), doors.confirmed()
    operator = Actor.operator()
    doors.write(SLUG, lambda db: pick(db, operator, the_forum(db), admitted.code, "C-01", now=NOW, forced=True))
    for address in (LIST, f"/en/{SLUG}", f"/en/my/{other.secret}/materials"):
        assert "Behind closed doors" not in doors.get(address).text
    assert doors.get(f"{LIST}/{code}/en").status_code == 404
    assert doors.get(f"/en/my/{other.secret}/materials/{code}/en").status_code == 404
    own = doors.page(f"/en/my/{admitted.secret}/materials")
    assert "Behind closed doors" in own.text
    assert f"/en/{SLUG}/programme/C-01" not in own.links, "there is no such page"
    file = doors.get(f"/en/my/{admitted.secret}/materials/{code}/en")
    assert (file.status_code, file.content) == (200, BODY)
    assert (file.headers["cache-control"], file.headers["x-robots-tag"]) == ("private, no-store", "noindex")


def test_an_address_elsewhere_is_shown_with_its_host(doors: Doors) -> None:
    code = shared(doors, kind="recording", link="https://video.example/watch?v=1")
    page = doors.page(LIST)
    link = page.one("a", href="https://video.example/watch?v=1")
    assert "noopener" in link.attributes["rel"]
    assert "video.example" in page.text
    removed(doors, code)


@given(st.integers(1, 300), st.text(alphabet="bytes=-,0123456789 ", max_size=24))
def test_any_range_lies_within_the_file(size: int, asked: str) -> None:
    try:
        found = range_of(asked, size)
    except NotSatisfiable:
        assert re.match("bytes", asked)
        return
    assert found is None or 0 <= found[0] <= found[1] < size


@given(st.integers(1, 300), st.data())
def test_a_range_written_as_it_should_be_is_taken(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size + 5))
    assert range_of(f"bytes={first}-{last}", size) == (first, min(last, size - 1))
    assert range_of(None, size) is None
