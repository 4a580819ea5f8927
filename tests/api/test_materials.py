"""Materials through the API: words as JSON, files as they are; what everybody sees of them; and what is refused."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.rules import Permission, Role
from app.editions.form import ForumFile
from tests.api.programs import BASE, Programs, open_programs
from tests.cast import SLUG
from tests.doors import ELSEWHERE
from tests.papers import PNG, docx, pdf
from tests.web.asgi import ask
from tests.web.test_desk_programme import queries_of

PAPER = {"session": "forum", "kind": "paper", "title": {"en": "Lanes at sea", "km": "ផ្លូវសមុទ្រ"}}
PAPER |= {"release": "at_once", "announced": True}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_asked = itertools.count()
LIMIT = 200_000
ALLOWANCE = 65_536


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, loaded_file: Path, forum_file: ForumFile) -> Iterator[Programs]:
    sizes = {"BODY_LIMIT_BYTES": str(ALLOWANCE), "MATERIAL_LIMIT_BYTES": str(LIMIT)}
    with open_programs(loaded_file, tmp_path_factory.mktemp("api-materials"), forum_file, **sizes) as found:
        found.enrol("viewer", Role.VIEWER)
        found.enrol("elsewhere", Role.ORGANISER, slug=ELSEWHERE)
        found.tokens["narrow"] = found.token("organiser", scope=(Permission.SEE_DESK,))
        yield found


def add(programs: Programs, **changes: Any) -> str:
    answer = programs.post("/materials", {**PAPER, **changes})
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    assert answer.headers["location"] == f"{BASE}/materials/{code}"
    return code


def tag(programs: Programs, code: str) -> str:
    found: str = programs.get(f"/materials/{code}").headers["etag"]
    return found


def put(programs: Programs, code: str, body: bytes, kind: str = "application/pdf", **more: Any) -> Any:
    """A file as the material's text in one language; the name it has with its sender is in the address."""
    named, language = more.pop("name", "paper.pdf"), more.pop("language", "en")
    more.setdefault("if_match", "*")
    address = f"/materials/{code}/files/{language}?name={named}"
    return programs.put(address, body, content_type=kind, **more)


def public(programs: Programs) -> str:
    """What everybody sees, made anew: kept bytes may be a second old."""
    return str(programs.doors.get(f"/en/{SLUG}/materials?nobody={next(_asked)}").text)


def test_a_paper_waits_for_its_file_is_read_replaced_removed_and_brought_back(programs: Programs) -> None:
    code = add(programs)
    assert "Lanes at sea" not in public(programs), "there is nothing to read yet"
    seen = programs.get(f"/materials/{code}").json()
    assert (seen["session"], seen["stage"], seen["files"]) == ("forum", "absent", [])
    at_the_desk = programs.doors.page(f"/desk/{SLUG}/materials", "organiser")
    assert "Waits for its file" in at_the_desk.text
    assert programs.doors.get(f"/desk/{SLUG}/materials/{code}", "organiser").status_code == 200
    answer = put(programs, code, pdf(), name="ផ្លូវ <b>.pdf", if_match=tag(programs, code))
    assert answer.status_code == 200, answer.text
    (file,) = answer.json()["files"]
    assert (file["name"], file["kind"], file["size"]) == ("ផ្លូវ b.pdf", "application/pdf", len(pdf()))
    assert answer.json()["stage"] == "there"
    assert "Lanes at sea" in public(programs)
    taken = programs.get(f"/materials/{code}/files/en", accept="application/pdf")
    assert (taken.content, taken.headers["content-type"]) == (pdf(), "application/pdf")
    assert taken.headers["etag"] == answer.headers["etag"] == tag(programs, code)
    assert taken.headers["content-disposition"] == f'attachment; filename="{SLUG}-paper-{code.lower()}-en.pdf"'
    assert programs.get(f"/materials/{code}/files/en", if_none_match=taken.headers["etag"]).status_code == 304
    late = put(programs, code, docx(), DOCX, if_match=f'"{seen["code"]}"')
    assert (late.status_code, late.json()["code"]) == (412, "stale")
    longer = {**PAPER, "title": {"en": "Longer lanes", "km": "ផ្លូវវែង"}}
    changed = programs.put(f"/materials/{code}", longer, if_match=taken.headers["etag"])
    assert (changed.status_code, changed.json()["files"]) == (200, [file]), "the file stays"
    put(programs, code, docx(), DOCX, language="km", name="")
    assert programs.get(f"/materials/{code}/files/km").content == docx()
    gone = programs.ask("DELETE", f"/materials/{code}/files/en", "organiser", if_match="*")
    assert gone.status_code == 204
    last = programs.ask("DELETE", f"/materials/{code}/files/km", "organiser", if_match="*")
    assert (last.status_code, last.json()["code"]) == (422, "material_without_text")
    assert programs.ask("DELETE", f"/materials/{code}", "organiser", if_match=tag(programs, code)).status_code == 204
    assert programs.get(f"/materials/{code}").status_code == 404
    assert "Longer lanes" not in public(programs)
    (removed,) = [one for one in programs.get("/materials").json()["items"] if one["code"] == code]
    assert removed["removed_at"]
    assert programs.post(f"/materials/{code}/restoration").json() == {"code": code}
    assert programs.post(f"/materials/{code}/restoration").status_code == 404
    assert "Longer lanes" in public(programs)


def test_what_the_desk_refuses_is_refused_here_with_the_same_code_and_nothing_is_written(programs: Programs) -> None:
    code = add(programs, link="https://papers.example/lanes")
    before = programs.doors.rows()
    wrong = [
        (b"\0", "application/pdf", "material_empty"),
        (b"MZ\x90\0 program", "application/octet-stream", "material_kind"),
        (b"<html><script>alert(1)</script>", "text/plain", "material_kind"),
        (pdf()[:40], "application/pdf", "material_broken"),
        (pdf(inside=b"/S /JavaScript"), "application/pdf", "material_active"),
        (docx(**{"word/vbaProject.bin": b"x"}), DOCX, "material_active"),
        (pdf("x" * LIMIT), "application/pdf", "upload_too_large"),
    ]
    for body, kind, said in wrong:
        answer = put(programs, code, body, kind)
        assert (answer.status_code, answer.json()["code"]) == (422, said), answer.text
        assert "errors" not in answer.json() or not answer.json()["errors"]
    assert put(programs, code, b"x" * (LIMIT + ALLOWANCE + 1)).status_code == 413
    for sent, field, said in (
        ({"session": None}, "session", "not_a_text"),
        ({"session": "D9-99"}, "session", "not_a_choice"),
        ({"session": "C-01", "kind": "notes"}, "kind", "material_tells_who"),
        ({"release": "with_start"}, "release", "material_no_session"),
        ({"release": "at"}, "release_at", "missing"),
        ({"link": "http://x.example"}, "link", "material_link"),
    ):
        answer = programs.post("/materials", {**PAPER, **sent})
        assert answer.status_code == 422, sent
        assert answer.json()["errors"][0]["pointer"] == f"#/{field}"
        assert answer.json()["errors"][0]["code"] == said, sent
    assert programs.doors.rows() == before


def test_the_list_is_as_many_queries_however_long(programs: Programs) -> None:
    put(programs, add(programs), pdf())  # a token's first use is noted too
    counts = []
    for _ in range(3):
        counts.append(queries_of(programs.doors.site, lambda: programs.get("/materials")))
        put(programs, add(programs), pdf())
    assert len(set(counts)) == 1, counts


def test_a_file_comes_as_one_of_the_kinds_that_the_document_names_and_only_where_it_names_them(
    programs: Programs,
) -> None:
    code = add(programs)
    before = programs.doors.rows()
    for kind in ("application/json", "text/html", "multipart/form-data; boundary=x", ""):
        assert put(programs, code, pdf(), kind).status_code == 415, kind
    other = programs.put(f"/materials/{code}", pdf(), if_match="*", content_type="application/pdf")
    assert other.status_code == 415
    assert put(programs, code, pdf(), language="fr").status_code == 404
    unsaid = programs.put(f"/materials/{code}/files/en", pdf(), content_type="application/pdf")
    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "if_match_missing")
    assert programs.doors.rows() == before
    # what it is said to be is not what it is: the bytes say that
    assert put(programs, code, PNG, "application/pdf; x=y").json()["files"][0]["kind"] == "image/png"


def test_whoever_may_not_is_turned_away_before_a_file_is_read(programs: Programs) -> None:
    code = add(programs)
    put(programs, code, pdf())
    before = programs.doors.rows()
    for by in ("viewer", "narrow"):
        assert put(programs, code, b"x" * (LIMIT + 1), by=by).json()["code"] == "forbidden"
        for address in ("/materials", f"/materials/{code}", f"/materials/{code}/files/en"):
            assert programs.get(address, by).status_code == 403, address
    assert put(programs, "K3TP9QZ", b"x" * (LIMIT + 1)).status_code == 404
    assert put(programs, code, pdf(), by="elsewhere").status_code == 404
    theirs = f"/api/v1/forums/{ELSEWHERE}/materials/{code}"
    assert programs.get(theirs, "elsewhere").status_code == 404
    assert (
        programs.put(f"{theirs}/files/en", pdf(), "elsewhere", content_type="application/pdf", if_match="*").json()[
            "status"
        ]
        == 404
    )
    assert programs.doors.rows() == before


def test_a_file_of_no_announced_length_is_counted_and_of_whoever_may_not_never_read(programs: Programs) -> None:
    code = add(programs)

    def chunks() -> Iterator[bytes]:
        for _ in range((LIMIT + ALLOWANCE) // 10_000 + 2):
            yield b"x" * 10_000

    def stream(by: str) -> int:
        headers = {"authorization": f"Bearer {programs.tokens[by]}", "content-type": "application/pdf", "if-match": "*"}
        at = f"{BASE}/materials/{code}/files/en"
        return int(programs.doors.ask("PUT", at, content=chunks(), headers=headers).status_code)

    assert (stream("organiser"), stream("viewer"), stream("elsewhere")) == (413, 403, 404)


def test_who_breaks_off_while_sending_is_nobodys_fault(
    programs: Programs, in_loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    at, before = f"{BASE}/materials/{add(programs)}/files/en", programs.doors.rows()
    headers = {"authorization": f"Bearer {programs.tokens['organiser']}", "if-match": "*"}
    forms = {"content-type": "application/x-www-form-urlencoded"}
    app: Any = programs.doors.client.app
    for method, path, sent in (
        ("PUT", at, {**headers, "content-type": "application/pdf"}),
        ("PUT", at.rpartition("/files")[0], {**headers, "content-type": "application/json"}),
        ("POST", "/login", forms),
    ):
        whole = {**sent, "content-length": "1000"}
        in_loop(lambda: ask(app, path, method=method, headers=whole, body=[b"%PDF"], breaks_off=True))  # noqa: B023
    assert "fault" not in caplog.text
    assert programs.doors.rows() == before


def test_papers_of_a_session_change_places_and_one_whose_session_goes_becomes_nobody_elses(
    programs: Programs,
) -> None:
    draft = {"code": "EX-09", "type": "panel", "title": {"en": "A panel", "km": "ការពិភាក្សា"}, "attribution": "REC"}
    assert programs.post("/sessions", {"session": draft}).status_code == 201
    first, second = (add(programs, session="EX-09", link=f"https://x.example/{n}") for n in (1, 2))
    assert programs.post(f"/materials/{second}/place", {"up": True}).json() == {"changed": True}
    assert programs.post(f"/materials/{second}/place", {"up": True}).json() == {"changed": False}
    mine = [one["code"] for one in programs.get("/materials").json()["items"] if one["session"] == "EX-09"]
    assert mine == [second, first]
    assert programs.ask("DELETE", "/sessions/EX-09", "organiser", if_match="*").status_code == 204
    orphan = programs.get(f"/materials/{first}").json()
    assert (orphan["session"], orphan["stage"]) == (None, "absent")
    put(programs, first, pdf())
    assert programs.get(f"/materials/{first}").json()["session"] is None, "a new file makes it not the forum's"
    sent = {name: orphan[name] for name in ("session", "kind", "title", "release")}
    assert programs.put(f"/materials/{first}", sent, if_match="*").json()["errors"][0]["pointer"] == "#/session"
