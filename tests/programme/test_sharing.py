"""Materials through the deeds: what is kept, what is refused, what goes and comes back, and when pages become new."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts.actor import Actor
from app.accounts.rules import Role
from app.audit.recording import history
from app.forum.models import Forum
from app.forum.queries import forum_id
from app.kit.db import Database, Db, table
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual
from app.kit.inputs import parse
from app.kit.pen import Pen, revisions
from app.programme import sharing
from app.programme.inputs import MaterialInput
from app.programme.materials import PIECE, material_of, materials_of, piece_of, shelf
from app.programme.models import MaterialFile, MaterialPiece, Session
from app.programme.queries import published, visible_to
from app.programme.rules.visibility import PUBLIC, Viewer
from app.programme.sharing import document
from tests.cast import DARA, NOW, RITH, SLUG, make_actor, the_forum
from tests.papers import WORDS, docx, make_material, material, pdf

OPERATOR = Actor.operator()
_pieces, _files = table(MaterialPiece), table(MaterialFile)


@pytest.fixture
def forum(db: Db) -> Forum:
    return the_forum(db)


def change(db: Db, forum: Forum, code: str, edition: int, **more: Any) -> bool:
    documents = {language: document("", "x", body) for language, body in more.pop("texts", {}).items()}
    dropped, by = more.pop("dropped", ()), more.pop("by", OPERATOR)
    return sharing.change(db, by, forum, code, material(**more), documents, dropped, edition, now=NOW)


def titles(db: Db, forum: Forum, viewer: Viewer = PUBLIC, now: Any = NOW) -> list[str]:
    own = forum_id(forum)
    return [one.material.title.en for one in shelf(db, own, published(db, own), viewer, now=now).seen]


def pieces(db: Db) -> int:
    return int(db.execute(select(func.count()).select_from(_pieces)).scalar_one())


def test_a_file_is_kept_whole_in_pieces_and_named_for_reading_alone(db: Db, forum: Forum):
    body = pdf("x" * (2 * PIECE))
    sent = {"en": document("file_en", '..\\..\\C:\\Users\\"<b>paper</b>.pdf', body)}
    code = sharing.share(db, OPERATOR, forum, material(), sent, now=NOW)
    (one,) = material_of(db, forum_id(forum), code).files
    assert (one.name, one.size, one.kind) == ("b>.pdf".replace(">", ""), len(body), "application/pdf")
    assert pieces(db) == 3
    assert b"".join(piece_of(db, one, number) for number in range(3)) == body
    with pytest.raises(NotFound):
        piece_of(db, one, 3)


def test_a_material_is_changed_once_by_each_edition_and_a_file_takes_the_place_of_another(db: Db, forum: Forum):
    code = make_material(db)
    assert change(db, forum, code, 1, texts={"en": docx(), "km": pdf()})
    assert not change(db, forum, code, 2, texts={"km": pdf()}), "the same again changes nothing"
    with pytest.raises(Conflict, match="material_changed"):
        change(db, forum, code, 1, title=Bilingual("Other", "ផ្សេង"))
    found = material_of(db, forum_id(forum), code)
    assert [(one.language, one.kind.ending) for one in found.files] == [("en", "docx"), ("km", "pdf")]
    assert pieces(db) == 2, "what was replaced is gone"
    assert change(db, forum, code, 2, dropped={"en"})
    with pytest.raises(Invalid):
        change(db, forum, code, 3, dropped={"km"})
    assert [fact.kind for fact in history(db, SLUG, f"material:{code}")] == [
        "material.shared", "material.changed", "material.changed"
    ]  # fmt: skip


def test_a_text_may_come_after_its_material_which_nobody_sees_before(db: Db, forum: Forum):
    code = sharing.share(db, OPERATOR, forum, material(), {}, now=NOW, text_follows=True)
    assert titles(db, forum) == []
    assert change(db, forum, code, 1, kind="slides"), "its words may be corrected while it waits"
    assert sharing.put_text(db, OPERATOR, forum, code, "km", document("", "x", pdf()), now=NOW)
    assert titles(db, forum) == [WORDS.en]
    assert not sharing.put_text(db, OPERATOR, forum, code, "km", document("", "x", pdf()), now=NOW), "the same again"
    with pytest.raises(NotFound):
        sharing.put_text(db, OPERATOR, forum, code, "en", None, now=NOW)
    with pytest.raises(Invalid):
        sharing.put_text(db, OPERATOR, forum, code, "km", None, now=NOW)
    assert sharing.put_text(db, OPERATOR, forum, code, "en", document("", "x", docx()), now=NOW)
    assert sharing.put_text(db, OPERATOR, forum, code, "km", None, now=NOW)
    found = material_of(db, forum_id(forum), code)
    assert ([one.language for one in found.files], found.kind, found.edition) == (["en"], "slides", 5)
    assert pieces(db) == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"session": "D9-99"}, ("session", "not_a_choice")),
        ({"release": "with_start"}, ("release", "material_no_session")),
        ({"release": "at"}, ("release_at", "missing")),
        ({"session": "C-01", "kind": "notes"}, ("kind", "material_tells_who")),
    ],
)
def test_what_does_not_go_together_is_refused(db: Db, forum: Forum, changes: Any, fault: tuple[str, str]):
    with pytest.raises(Invalid) as refused:
        make_material(db, **changes)
    assert [(one.field, one.code) for one in refused.value.faults] == [fault]
    with pytest.raises(Invalid):
        sharing.share(db, OPERATOR, forum, material(), {}, now=NOW)


@pytest.mark.parametrize(
    "link",
    ["http://x.example", "javascript:alert(1)", "https://", "https://a:b@x.example", "//x", "https://x.example/ a"],
)
def test_a_link_leads_to_a_plain_https_address(link: str):
    with pytest.raises(Refused):
        parse(MaterialInput, {"kind": "recording", "title": WORDS, "release": "at_once", "link": link})


def test_of_a_closed_session_only_those_admitted_find_it_and_of_a_draft_nobody(db: Db, forum: Forum):
    make_material(db, session="C-01")
    assert titles(db, forum) == []
    assert titles(db, forum, Viewer(frozenset({"C-01"}))) == [WORDS.en]
    own, sessions = forum_id(forum), table(Session)
    everybodys = visible_to(published(db, own), PUBLIC)
    make_material(db, session="D1-07", title=Bilingual("Drafted", "ព្រាង"))
    db.execute(update(sessions).where(sessions.c.code == "D1-07").values(uid="drafted@example"))
    code = make_material(db, session="D1-07", title=Bilingual("In the draft alone", "ព្រាង"))
    seen = shelf(db, own, everybodys, PUBLIC, now=NOW).seen
    assert code not in [one.material.code for one in seen]
    assert [one.material.title.en for one in seen] == ["Drafted"]


def test_a_shelf_holds_until_the_next_release(db: Db, forum: Forum):
    at = NOW + timedelta(hours=2)
    make_material(db, release="at", release_at=at)
    make_material(db, release="at", release_at=at + timedelta(days=1), announced=True)
    own = forum_id(forum)
    there = shelf(db, own, published(db, own), PUBLIC, now=NOW)
    assert (there.until, [one.stage.value for one in there.seen]) == (at, ["announced"])
    later = shelf(db, own, published(db, own), PUBLIC, now=at)
    assert (later.until, [one.stage.value for one in later.seen]) == (at + timedelta(days=1), ["there", "announced"])
    with pytest.raises(NotFound):
        later.there(later.seen[1].material.code)


def test_each_deed_makes_the_forums_pages_new(db: Db, forum: Forum):
    seen = [revisions(db)[SLUG]]
    code, other = make_material(db), make_material(db)
    seen.append(revisions(db)[SLUG])
    change(db, forum, code, 1, announced=True)
    seen.append(revisions(db)[SLUG])
    assert sharing.place(db, OPERATOR, forum, other, up=True, now=NOW)
    assert not sharing.place(db, OPERATOR, forum, other, up=True, now=NOW)
    seen.append(revisions(db)[SLUG])
    sharing.remove(db, OPERATOR, forum, code, now=NOW)
    seen.append(revisions(db)[SLUG])
    assert seen == sorted(set(seen))
    assert [one.code for one in materials_of(db, forum_id(forum))] == [other, code]


def test_a_form_sent_twice_shares_once_and_with_other_words_twice(db: Db, forum: Forum):
    def share(**changes: Any) -> str:
        sent = {"en": document("", "x.pdf", pdf())}
        return sharing.share(db, OPERATOR, forum, material(**changes), sent, now=NOW, key="a key")

    first = share()
    assert share() == first
    assert share(kind="slides") != first
    assert len(materials_of(db, forum_id(forum))) == 2


def test_what_was_removed_comes_back_for_a_while_and_then_goes_for_good(db: Db, forum: Forum):
    code, kept = make_material(db), make_material(db, texts={"en": docx()})
    sharing.remove(db, OPERATOR, forum, code, now=NOW)
    assert len(titles(db, forum)) == 1
    with pytest.raises(NotFound):
        change(db, forum, code, 2)
    sharing.bring_back(db, OPERATOR, forum, code, now=NOW + timedelta(days=29))
    assert len(titles(db, forum)) == 2
    sharing.remove(db, OPERATOR, forum, code, now=NOW)
    late = NOW + sharing.KEPT
    with pytest.raises(NotFound):
        sharing.bring_back(db, OPERATOR, forum, code, now=late)
    assert pieces(db) == 2
    sharing.remove(db, OPERATOR, forum, kept, now=late)
    assert [one.code for one in materials_of(db, forum_id(forum))] == [kept]
    assert (pieces(db), db.execute(select(func.count()).select_from(_files)).scalar_one()) == (1, 1)


def test_materials_are_the_programme_editors_business(db: Db, forum: Forum):
    code = make_material(db)
    for by, refusal in ((make_actor(db, DARA, Role.REGISTRAR), Forbidden), (make_actor(db, RITH), NotFound)):
        for deed in (
            lambda by=by: sharing.share(db, by, forum, material(link="https://x.example"), {}, now=NOW),
            lambda by=by: change(db, forum, code, 1, by=by),
            lambda by=by: sharing.place(db, by, forum, code, up=True, now=NOW),
            lambda by=by: sharing.remove(db, by, forum, code, now=NOW),
            lambda by=by: sharing.bring_back(db, by, forum, code, now=NOW),
        ):
            with pytest.raises(refusal):
                deed()
    change(db, forum, code, 1, by=make_actor(db, RITH, Role.PROGRAMME_EDITOR), announced=True)


def test_a_file_comes_back_as_it_was_from_either_database(either_database: Database):
    body, pen = pdf("x" * PIECE), Pen(either_database)
    code = pen.write_now(SLUG, lambda db: make_material(db, {"en": body, "km": docx()}, release="at", release_at=NOW))

    def read(db: Db) -> bytes:
        (one, _) = material_of(db, forum_id(the_forum(db)), code).files
        assert one.sent_at == NOW
        return b"".join(piece_of(db, one, number) for number in range(2))

    assert either_database.read(read) == body
    deed = sharing.remove
    pen.write_now(SLUG, lambda db: deed(db, OPERATOR, the_forum(db), code, now=NOW - sharing.KEPT))
    pen.write_now(SLUG, make_material)
    assert either_database.read(lambda db: len(materials_of(db, forum_id(the_forum(db))))) == 1


def test_whoever_reads_a_file_slowly_reads_nothing_of_the_one_that_took_its_place(db: Db, forum: Forum):
    code = make_material(db)
    (being_read,) = material_of(db, forum_id(forum), code).files
    change(db, forum, code, 1, texts={"en": pdf("not released")}, release="at", release_at=NOW)
    (new,) = material_of(db, forum_id(forum), code).files
    assert new.id == being_read.id, "or the test could not fail"
    with pytest.raises(NotFound):
        piece_of(db, being_read, 0)


@pytest.mark.parametrize("many", [1, 3])
def test_a_shelf_takes_two_queries_however_much_there_is(db: Db, forum: Forum, many: int, queries: Any):
    for _ in range(many):
        make_material(db)
    own = forum_id(forum)
    programme = published(db, own)
    with queries() as counted:
        assert len(shelf(db, own, programme, PUBLIC, now=NOW).seen) == many
    assert len(counted) == 2
