"""Empty forms to register and the groups to choose from, kept for a moment: each form with its own token, no page older
than what it says."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import event, select, text
from starlette.testclient import TestClient

from app.kit.db import table
from app.main import create_app
from app.registration.applying import manage_token
from app.registration.models import Application
from app.web.blanks import EMAIL, LINK, TOKEN, Blanks
from app.web.site import Site
from tests.cast import BOPHA, RITH, SLUG, VANNA, Figure, fields, make_application
from tests.conftest import Clock, settings_for, site_behind
from tests.web.asgi import Answered, ask
from tests.web.visits import seal_on

GROUPS = f"/en/{SLUG}/register"
FORM = f"{GROUPS}/stu"


@pytest.fixture
def opened(client: TestClient) -> TestClient:
    """A browser before a form that was opened just now, by way of the groups."""
    assert client.get(GROUPS).status_code == client.get(FORM).status_code == 200
    return client


def test_two_who_open_a_form_at_one_moment_get_tokens_of_their_own_and_the_same_page(opened: TestClient) -> None:
    first, second = opened.get(FORM), opened.get(FORM)
    assert seal_on(first) != seal_on(second)
    assert first.text.replace(seal_on(first), "") == second.text.replace(seal_on(second), "")
    for answer in (first, second):
        assert TOKEN not in answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["content-language"] == "en"
    assert opened.get(f"/km/{SLUG}/register/stu").headers["content-language"] == "km"


@pytest.mark.parametrize("page", [GROUPS, FORM])
def test_it_is_rendered_once_and_costs_nothing_more(opened: TestClient, page: str) -> None:
    before = dict(opened_forms(opened))
    opened.get(page)
    assert opened_forms(opened)[page] is before[page]


def test_the_groups_are_the_same_for_whoever_looks(opened: TestClient) -> None:
    first, second = opened.get(GROUPS), opened.get(f"{GROUPS}?from=elsewhere")
    assert first.text == second.text
    for answer in (first, second):
        assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert answer.headers["content-language"] == "en"
    assert 'lang="km"' in opened.get(f"/km/{SLUG}/register").text


def test_a_code_that_was_typed_stands_in_nobody_elses_page(opened: TestClient) -> None:
    assert "NO-SUCH-CODE" in opened.get(f"{GROUPS}?code=NO-SUCH-CODE").text
    assert "NO-SUCH-CODE" not in opened.get(GROUPS).text


def opened_forms(client: TestClient):
    return site_behind(client).blanks.kept


@pytest.mark.parametrize("page", [GROUPS, FORM])
def test_whatever_this_process_writes_shows_at_once(opened: TestClient, site: Site, page: str) -> None:
    site.pen.write_now(SLUG, make_application)
    before = opened_forms(opened)[page]
    opened.get(page)
    assert opened_forms(opened)[page] is not before


def test_what_another_process_wrote_shows_within_a_second(opened: TestClient, site: Site, clock: Clock) -> None:
    before, groups = opened_forms(opened)[FORM], opened.get(GROUPS).text
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_terms SET closes_at = '2000-01-01 00:00:00'"))
    assert opened_forms(opened)[FORM] is before
    assert opened.get(GROUPS).text == groups
    clock.move(seconds=1)
    assert 'name="family_name"' not in opened.get(FORM).text
    assert FORM in groups
    assert FORM not in opened.get(GROUPS).text


def register(client: TestClient, figure: Figure, path: str = FORM, **changes: str):
    sent = {name: value for name, value in fields(figure).items() if name not in {"category", "language"}}
    return client.post(path, data={**sent, "form": seal_on(client.get(path)), **changes})


def test_a_registration_leaves_the_form_as_it_is_until_the_seats_stand_otherwise(
    opened: TestClient, site: Site
) -> None:
    before, groups = opened_forms(opened)[FORM].body, opened.get(GROUPS).text
    assert register(opened, VANNA).status_code == 200
    opened.get(FORM)
    assert opened_forms(opened)[FORM].body is before
    assert opened.get(GROUPS).text == groups
    # the last seats go in the next one's commit
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_category SET \"limit\" = 1, guarantee = 0 WHERE code = 'STU'"))
    assert register(opened, RITH).status_code == 200
    shown = opened.get(FORM).text
    assert opened_forms(opened)[FORM].body is not before
    assert "waiting list" in shown.lower()
    assert "waiting list" not in groups.lower()
    assert "waiting list" in opened.get(GROUPS).text.lower()


def test_what_is_kept_of_an_answer_is_nobodys(opened: TestClient) -> None:
    one, other = register(opened, VANNA).text, register(opened, BOPHA, email="o'b&b@embassy.example").text
    assert VANNA.email in one or "/en/my/" in one
    links = [page.split("/en/my/", 1)[1].split('"')[0] for page in (one, other)]
    assert links[0] != links[1]
    assert links[0] not in other
    for page in (one, other):
        assert not {mark for mark in (EMAIL, LINK, TOKEN) if mark in page}
    again = register(opened, VANNA).text
    assert "/en/my/" not in again, "an earlier registration's link is not shown"
    assert VANNA.email in again
    assert register(opened, BOPHA, email="o'b&b@embassy.example").text.count("o&#39;b&amp;b@embassy.example") == 1


def test_who_is_refused_sees_the_form_as_it_is_now(opened: TestClient, site: Site) -> None:
    form = seal_on(opened.get(FORM))
    assert register(opened, VANNA).status_code == 200, "what the form asks is known now"
    with site.database.write_engine.begin() as connection:
        connection.execute(text("UPDATE registration_terms SET closes_at = '2000-01-01 00:00:00'"))
    sent = {name: value for name, value in fields(RITH).items() if name not in {"category", "language"}}
    refused = opened.post(FORM, data={**sent, "form": form})
    assert refused.status_code == 422
    assert 'name="family_name"' not in refused.text


@pytest.mark.parametrize("letter", ["%09", "%0A", "%0D"])
def test_an_address_with_what_cannot_be_seen_is_none_whether_a_form_is_kept_or_not(
    opened: TestClient, letter: str
) -> None:
    odd, token = FORM.replace("/stu", f"/st{letter}u"), seal_on(opened.get(FORM))
    assert register(opened, VANNA).status_code == 200, "what the form asks is known, too"
    assert opened.get(odd).status_code == 404
    sent = {name: value for name, value in fields(RITH).items() if name not in {"category", "language"}}
    assert opened.post(odd, data={**sent, "form": token}).status_code == 404


@pytest.mark.postgres
def test_where_reads_run_in_threads_a_crowd_has_a_form_read_once(postgres_url: str) -> None:
    """As many questions as for one who comes alone, to another group: when it is opened, sent, and opened again after
    people have registered."""
    app, read = create_app(settings_for(postgres_url)), 0

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal read
        read += "registration_" in statement

    async def opens(group: str) -> str:
        page = (await ask(app, f"/en/{SLUG}/register/{group}")).body.decode()
        return page.split('name="form" value="', 1)[1].split('"', 1)[0]

    async def sends(group: str, email: str, token: str) -> None:
        path = f"/en/{SLUG}/register/{group}"
        sent = {**fields(RITH, email=email), "form": token}
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await ask(app, path, method="POST", headers=form, body=[urlencode(sent).encode()])
        assert answer.status == 200

    async def cost_of(group: str, crowd: int) -> tuple[int, int, int]:
        before = read
        tokens = await asyncio.gather(*(opens(group) for _ in range(crowd)))
        opened, before = read - before, read
        people = [f"one{number}@{group}.example" for number in range(crowd)]
        await asyncio.gather(*(sends(group, *person) for person in zip(people, tokens, strict=True)))
        sent, before = read - before, read
        await asyncio.gather(*(opens(group) for _ in range(crowd)))
        return opened, sent, read - before

    with TestClient(app) as browser:
        event.listen(site_behind(browser).database.read_engine, "before_cursor_execute", note)
        assert browser.portal is not None
        one = browser.portal.call(cost_of, "cso", 1)
        crowd = browser.portal.call(cost_of, "stu", 20)
    assert all(0 < many <= few for few, many in zip(one, crowd, strict=True)), (one, crowd)


def test_whoever_waits_for_a_reader_that_comes_to_nothing_goes_on(in_loop: Callable[[Callable[[], Any]], Any]) -> None:
    async def reading_and_waiting() -> list[Any]:
        blanks, reads = Blanks(), asyncio.Event()

        async def reads_to_nothing() -> None:
            with blanks.reading("a form"):
                await reads.wait()
                raise TimeoutError

        async def waits(what: str) -> bool:
            await asyncio.sleep(0)
            return await blanks.waited(what)

        gone, failed = asyncio.create_task(reads_to_nothing()), reads_to_nothing()
        waiting = asyncio.create_task(waits("a form"))
        assert not await waits("another")
        gone.cancel()
        assert await waiting
        reads.set()
        return await asyncio.gather(gone, failed, waits("a form"), return_exceptions=True)

    gone, failed, waited = in_loop(reading_and_waiting)
    assert isinstance(gone, asyncio.CancelledError)
    assert isinstance(failed, TimeoutError)
    assert not waited, "nobody is reading any more"


def test_whoever_goes_while_waiting_takes_neither_the_reader_nor_the_others_along(
    in_loop: Callable[[Callable[[], Any]], Any],
) -> None:
    async def reading_and_waiting() -> list[Any]:
        blanks, reads = Blanks(), asyncio.Event()

        async def reader() -> str:
            with blanks.reading("a form"):
                await reads.wait()
            return "read"

        tasks = [asyncio.create_task(work) for work in (reader(), *(blanks.waited("a form") for _ in range(3)))]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert [task.done() for task in tasks] == [False, True, False, False]
        reads.set()
        return [*await asyncio.gather(*tasks, return_exceptions=True), await blanks.waited("a form")]

    read, gone, *waited, nobody_reads = in_loop(reading_and_waiting)
    assert isinstance(gone, asyncio.CancelledError)
    assert (read, waited, nobody_reads) == ("read", [True, True], False)


@pytest.mark.parametrize("mail", ["", "smtp://localhost:1025"])
def test_of_many_who_send_at_one_moment_each_is_told_their_own_and_nobody_elses(sqlite_url: str, mail: str) -> None:
    """In both languages and two groups; with mail the address alone, without it the link."""
    app = create_app(settings_for(sqlite_url, SMTP_URL=mail, MAIL_FROM="forum@example.org"))
    people = [(lang, group, f"one{number}@crowd.example") for number, (lang, group) in enumerate(15 * WHERE)]

    async def sends(lang: str, group: str, email: str) -> tuple[str, str]:
        path = f"/{lang}/{SLUG}/register/{group}"
        opened = (await asks(path)).body.decode()
        token = opened.split('name="form" value="', 1)[1].split('"', 1)[0]
        sent = {
            name: value for name, value in fields(RITH, email=email).items() if name not in {"category", "language"}
        }
        body = urlencode({**sent, "form": token}).encode()
        form = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        return token, (await asks(path, method="POST", headers=form, body=[body])).body.decode()

    async def asks(path: str, **sent: Any) -> Answered:
        """Whoever is told to come again, as the machine has other work for seconds, does."""
        while (answer := await ask(app, path, **sent)).status == 503:
            assert int(answer.headers["retry-after"]) > 0
            await asyncio.sleep(0.1)
        assert answer.status == 200, answer.body
        return answer

    async def all_at_once() -> list[tuple[str, str]]:
        return list(await asyncio.gather(*(sends(*person) for person in people)))

    with TestClient(app) as browser:
        answers = browser.portal.call(all_at_once) if browser.portal else []
        links = links_of(site_behind(browser))
    assert len({token for token, _ in answers}) == len(people)
    for (lang, group, email), (_, page) in zip(people, answers, strict=True):
        assert f'lang="{lang}"' in page
        assert f"/{'km' if lang == 'en' else 'en'}/{SLUG}/register/{group}" in page, "its twin"
        told = [own for own, link in links.items() if own in page or link in page]
        assert told == [email]


WHERE = [("en", "stu"), ("km", "stu"), ("en", "cso"), ("km", "cso")]


def links_of(site: Site) -> dict[str, str]:
    """The token of everybody's own page, by address."""
    secret, people = site.settings.secret_key, table(Application)
    rows = site.database.read(lambda db: db.execute(select(people.c.email, people.c.id)).all())
    return {row.email: manage_token(secret, row.id, 1) for row in rows}
