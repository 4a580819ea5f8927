"""The mails of invitations: in the guest's language, with a link that opens the page."""

from datetime import timedelta
from typing import Any

import pytest

from app.accounts.actor import Actor
from app.jobs.crew import Crew
from app.jobs.duties import deliver, settle
from app.kit.db import Db
from app.kit.inputs import parse
from app.registration import inviting, replying
from app.registration.invitation_inputs import Guest
from tests.cast import BOPHA, NOW, SECRET, SLUG, the_forum
from tests.jobs.conftest import Sink


def invited(crew: Crew, lang: str = "km", **changes: str) -> Any:
    names = {"family_name": BOPHA.family_name, "given_name": BOPHA.given_name, "name_km": BOPHA.name_km}
    fields = {"category": "THK", "email": BOPHA.email, "language": lang, "reply_by": "2026-12-20", **names, **changes}

    def deed(db: Db) -> Any:
        code = inviting.invite(db, Actor.operator(), the_forum(db), parse(Guest, fields), SECRET, now=NOW)
        return inviting.invitation_of(db, the_forum(db), code)

    return crew.pen.write_now(SLUG, deed)


def plain(sink: Sink, place: int = -1) -> str:
    part = sink.mails[place].get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("A seat is kept for you", "NV 17/2026")), ("km", ("កៅអីមួយ", "លេខយោង៖ NV 17/2026"))]
)
def test_an_invitation_leaves_with_its_link_and_says_what_is_kept_and_until_when(
    crew: Crew, sink: Sink, lang: str, words: tuple[str, ...]
) -> None:
    row = invited(crew, lang, reserves="yes", reference="NV 17/2026")
    deliver(crew)
    told = plain(sink)
    assert f"https://forum.example/{lang}/invitations/{inviting.invitation_token(SECRET, row.id, 1)}" in told
    for word in (*words, BOPHA.name_km if lang == "km" else "Bopha Chea"):
        assert word in told
    assert "{" not in told


def test_the_worker_reminds_once_and_lapses_at_the_date(crew: Crew, sink: Sink, clock: Any) -> None:
    row = invited(crew)
    deliver(crew)
    clock.at = row.reply_by - timedelta(days=7)
    settle(crew), settle(crew)
    deliver(crew)
    assert len(sink.mails) == 2
    assert "មិនទាន់បានទទួលចម្លើយ" in plain(sink)
    clock.at = row.reply_by
    settle(crew)
    assert crew.database.read(lambda db: inviting.invitation_of(db, the_forum(db), row.code)).state == "lapsed"


def test_an_answered_invitation_is_not_sent_any_more(crew: Crew, sink: Sink) -> None:
    row = invited(crew)
    crew.pen.write_now(SLUG, lambda db: replying.decline(db, the_forum(db), row.id, "", now=NOW))
    deliver(crew)
    assert sink.mails == []
