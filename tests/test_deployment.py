"""What is deployed, as far as it can be read: no container engine is needed for it, and none has run it."""

import http.client
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.accounts.rules import Permission, Role
from app.forum.tokens import TokenInput, make_token
from app.kit import settings as kit_settings
from app.kit.db import Db
from app.kit.pen import Pen
from app.kit.settings import SETTINGS
from app.programme.portraits import PHOTO_BYTES
from app.web import guards as web_guards
from app.web.guards import Guards
from tests.breadth import SOAK
from tests.cast import NOW, SOKHA, make_actor, the_forum
from tests.conftest import ROOT, opened
from tests.nursery import mothering, nursery
from tests.proxy import proxying

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "sala"}
GIVEN = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
    "POSTGRES_PASSWORD": "of-the-database",
    "SITE": "forum.example",
}


def filled(text: str) -> str:
    """A value with what compose puts in place of `${NAME}`, `${NAME:-default}` and `${NAME:?what is missing}`."""
    found = re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", lambda m: GIVEN.get(m[1], m[3] if m[2] == "-" else ""), text)
    assert "$" not in found, found
    return found


def environment(name: str) -> dict[str, str]:
    return {key: filled(str(value)) for key, value in OURS[name]["environment"].items()}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_process_of_ours_starts_with_settings_that_there_are(name: str) -> None:
    given = environment(name)
    assert set(given) <= {setting for setting, _, _ in SETTINGS}
    settings = kit_settings.read(given)
    assert settings.production
    assert settings.secure
    assert re.search(r"@db/", settings.database_url)


def test_web_processes_and_they_alone_read_a_replica_and_start_without_it() -> None:
    assert kit_settings.read(environment("web")).database_read_url.endswith("@replica/sala")
    assert [name for name in OURS if "DATABASE_READ_URL" in environment(name)] == ["web"]
    assert not any("replica" in service.get("depends_on", {}) for service in SERVICES.values())
    assert SERVICES["replica"]["image"] == SERVICES["db"]["image"], "a log is replayed by the version that wrote it"


def test_what_the_parts_name_is_there() -> None:
    proxy = (ROOT / "docs" / "deployment" / "Caddyfile").read_text()
    assert set(re.findall(r"reverse_proxy (\w+):", proxy)) <= set(SERVICES)
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], volume


# ---- the proxy, whose limits must be no narrower than the site's

PROXY = (ROOT / "docs" / "deployment" / "Caddyfile").read_text()
FORUM = "phnom-penh-2027"
SECRET = "a1B2-_" * 7
WITH_FILES = [
    ("POST", f"/en/{FORUM}/register/stu"),
    ("POST", f"/km/my/{SECRET}/details"),
    ("POST", f"/km/invitations/{SECRET}/registration"),
    ("POST", f"/en/speaking/{SECRET}/photo"),
    ("POST", f"/desk/{FORUM}/speakers/forum-chair/photo"),
    ("POST", f"/desk/{FORUM}/materials/new"),
    ("PUT", f"/api/v1/forums/{FORUM}/materials/A1B2/files/km"),
    ("PUT", f"/api/v1/forums/{FORUM}/speakers/forum-chair/photo"),
]
WITHOUT = [
    ("POST", "/login"),
    ("POST", f"/en/{FORUM}/register"),
    ("POST", f"/km/my/{SECRET}/cancellation"),
    ("POST", f"/desk/{FORUM}/import"),
    ("PUT", f"/api/v1/forums/{FORUM}/programme/table"),
    ("POST", f"/api/v1/forums/{FORUM}/registrations"),
]
MULTIPART = {b"content-type": b"multipart/form-data; boundary=x"}


def said(pattern: str) -> str:
    """What the proxy's file says at this place."""
    (found,) = re.findall(pattern, PROXY)
    return str(found)


def bytes_for(name: str) -> int:
    return int(said(rf"request_body @{name} \{{\s+max_size (\d+)MB")) * 1_000_000


def minutes_for(name: str) -> int:
    return int(said(rf"\b{name} (\d+)m\b"))


@pytest.fixture(scope="module")
def guards() -> Guards:
    async def nothing(*_: Any) -> None: ...

    return Guards(nothing, kit_settings.read({}), nothing)


def test_the_proxy_lets_through_what_the_site_takes_and_what_it_refuses_in_words(guards: Guards) -> None:
    files = re.compile(said(r"path_regexp (\S+)"))
    patterns = {name: each for name, each in vars(web_guards).items() if name.startswith(("TAKES_", "PUTS_"))}
    asked = [one for each in patterns.values() for one in (each if isinstance(each, tuple) else (each,))]
    for pattern in asked:
        assert any(pattern.fullmatch(path) for _, path in WITH_FILES), f"none of these is one of {pattern.pattern}"
    for method, path in WITH_FILES:
        assert files.fullmatch(path), path
        assert bytes_for("others") < guards.limit_of(method, path, MULTIPART) < bytes_for("files")
    for method, path in WITHOUT:
        assert not files.fullmatch(path), path
        assert guards.limit_of(method, path, MULTIPART) < bytes_for("others") <= 4 << 20


def test_a_material_comes_and_goes_through_the_proxy_on_a_line_of_a_megabit(guards: Guards) -> None:
    a_megabit = 1_000_000 / 8
    largest = max(guards.limit_of(method, path, MULTIPART) for method, path in WITH_FILES)
    assert minutes_for("read_body") * 60 * a_megabit > largest
    assert minutes_for("write") * 60 * a_megabit > kit_settings.read({}).material_limit_bytes


@pytest.mark.proxy
@pytest.mark.skipif(not SOAK and shutil.which("caddy") is None, reason="takes a proxy of its own: SALA_SOAK=1")
def test_through_the_proxy_files_come_to_the_site_and_too_much_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    """Each as far as the site looks at it: it says in words what it does not take."""
    with opened(sqlite_url) as database:
        editor = Pen(database).write_now(FORUM, token_of_an_editor)
    with mothering() as mother, nursery(mother, tmp_path, sqlite_url) as house:
        site = house.serve("site", TRUSTED_PROXIES="127.0.0.1", API_PER_MINUTE="0")
        with proxying(tmp_path, [site.port]) as port:
            photo = f"/api/v1/forums/{FORUM}/speakers/forum-chair/photo"
            for size, code in ((3_000_000, "picture_kind"), (PHOTO_BYTES + 1, "picture_too_large")):
                status, text = put(port, photo, editor, b"\xff\xd8\xff" + b"x" * size)
                assert (status, json.loads(text)["code"]) == (422, code)
            status, text = send(port, "POST", "/login", b"x" * 1_500_000, FORM)
            assert (status, "<h1" in text) == (413, True), "the site's own page"
            assert send(port, "POST", "/login", b"x" * 3_000_000, FORM)[0] in {413, 502}


FORM = {"content-type": "application/x-www-form-urlencoded"}


def token_of_an_editor(db: Db) -> str:
    by = make_actor(db, SOKHA, Role.ORGANISER)
    asked = TokenInput(forum=FORUM, name="Photographs", scope=(Permission.SEE_DESK, Permission.EDIT_PROGRAMME))
    return make_token(db, by, the_forum(db), asked, now=NOW)


def put(port: int, path: str, token: str, body: bytes) -> tuple[int, str]:
    headers = {"content-type": "image/jpeg", "if-match": "*", "authorization": f"Bearer {token}"}
    return send(port, "PUT", path, body, headers)


def send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["primary.sh", "replica.sh"])
def test_the_scripts_of_the_servers_can_be_read_by_a_shell(name: str) -> None:
    assert subprocess.run(["sh", "-n", ROOT / "docs" / "deployment" / name], check=False).returncode == 0
