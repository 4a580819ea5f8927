"""What is deployed, as far as it can be read: no container engine is needed for it, and none has run it."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from app.kit import settings as kit_settings
from app.kit.settings import SETTINGS
from tests.conftest import ROOT

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


@pytest.mark.parametrize("name", ["primary.sh", "replica.sh"])
def test_the_scripts_of_the_servers_can_be_read_by_a_shell(name: str) -> None:
    assert subprocess.run(["sh", "-n", ROOT / "docs" / "deployment" / name], check=False).returncode == 0
