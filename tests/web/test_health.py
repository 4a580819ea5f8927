"""What operators ask of a process."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from starlette.testclient import TestClient

from app.kit.heart import beat
from app.kit.migrating import downgrade, newest
from app.kit.pen import SITE
from app.mail.outbox import queue_mail
from app.main import create_app
from app.web.site import Site
from tests.cast import NOW, SLUG
from tests.conftest import settings_for, site_behind

TOKEN = "of-whoever-watches"


@pytest.fixture
def watched(either_url: str) -> Iterator[TestClient]:
    """A site on either database that sends mail and has figures."""
    settings = settings_for(either_url, METRICS_TOKEN=TOKEN, SMTP_URL="smtp://127.0.0.1:9")
    with TestClient(create_app(settings), base_url="http://localhost", follow_redirects=False) as browser:
        yield browser


def lives(site: Site, ago: timedelta = timedelta(0)) -> None:
    site.pen.write_now(SITE, lambda db: beat(db, {"deliver": (NOW - ago, 2.0)}))


def mail_due(site: Site, ago: timedelta) -> None:
    def deed(db):
        queue_mail(db, SLUG, "seated", "en", ("vanna@university.example", "V"), "registration:AAAAAAA", now=NOW - ago)

    site.pen.write_now(SLUG, deed)


def test_whole_means_that_worker_and_mail_are_well_too(watched: TestClient) -> None:
    site = site_behind(watched)
    never = watched.get("/readyz?whole=yes")
    assert (never.status_code, never.json()["worker"]) == (503, "has never run")
    assert watched.get("/readyz").json() | {"worker": ""} == {
        "ready": True,
        "database": "ok",
        "migrations": "ok",
        "worker": "",
        "outbox": "ok",
    }
    lives(site)
    assert watched.get("/readyz?whole=yes").status_code == 200
    mail_due(site, timedelta(minutes=16))
    late = watched.get("/readyz?whole=yes")
    assert (late.status_code, late.json()["outbox"]) == (503, "late")
    assert watched.get("/readyz").status_code == 200, "a mail server that is down takes no page away"


def test_a_worker_that_stopped_is_named_by_its_duties(client: TestClient, site: Site) -> None:
    lives(site, timedelta(minutes=10))
    assert client.get("/readyz").json()["worker"] == "late: deliver"


def test_without_a_mail_server_waiting_mail_is_not_late(client: TestClient, site: Site) -> None:
    lives(site)
    mail_due(site, timedelta(days=2))
    assert client.get("/readyz?whole=yes").status_code == 200


def test_an_old_schema_is_not_ready_and_says_which_it_is(client: TestClient, site: Site) -> None:
    downgrade(site.database, "20261129_0900")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == f"at 20261129_0900, not at {newest()}"
    assert client.get("/healthz").text == "ok\n"


def test_a_database_that_does_not_answer_is_not_ready_and_restarts_nothing(client: TestClient, site: Site) -> None:
    with site.database.write_engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    assert client.get("/readyz").json()["migrations"].startswith("at none")
    site.database.read_engine.dispose()
    site.database.path.unlink()
    site.database.path.mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
    assert client.get("/healthz").status_code == 200
    site.database.path.rmdir()
    site.database.path.touch()


def test_figures_are_for_whoever_has_the_token(watched: TestClient) -> None:
    for given in ("", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"bearer{TOKEN}", "Bearer \u00e9"):
        answer = watched.get("/metrics", headers={"authorization": given.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert watched.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_without_a_token_set_there_is_no_page_of_figures(client: TestClient) -> None:
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_figures_say_what_was_done(watched: TestClient) -> None:
    site = site_behind(watched)
    lives(site, timedelta(seconds=40))
    mail_due(site, timedelta(seconds=90))
    for _ in range(3):
        watched.get(f"/en/{SLUG}")
    watched.get(f"/en/my/{'a' * 32}")
    answer = watched.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["sala_published_renders_total",] == 1
    assert found["sala_published_kept_total",] == 2
    assert found["sala_request_seconds_count", "GET", "/{lang}/{forum}", "200"] == 1
    assert found["sala_request_seconds_count", "GET", "/{lang}/my/{secret}", "404"] == 1
    assert found["sala_pen_deeds_total",] >= 2
    assert found["sala_mail_messages", "queued"] == 1
    assert found["sala_mail_due_seconds",] == 90
    assert found["sala_duty_age_seconds", "deliver"] == 40
    assert found["process_resident_memory_bytes",] > 1 << 20
    assert "a" * 32 not in answer.text
    assert "university.example" not in answer.text
