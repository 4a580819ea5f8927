import stat
from pathlib import Path

import pytest

from app.kit.settings import SETTINGS, BadSettings, read

KEY = "0123456789abcdef" * 2


def test_a_key_that_is_not_random_is_refused(tmp_path: Path):
    with pytest.raises(BadSettings, match="openssl rand"):
        read({"SALA_ENV": "production", "SECRET_KEY": "a" * 40, "SALA_VAR": str(tmp_path)})


def test_a_development_start_needs_nothing(tmp_path: Path):
    settings = read({"SALA_VAR": str(tmp_path)})
    assert (settings.production, settings.debug, settings.port) == (False, False, 8000)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert not settings.secure
    assert not settings.sends_mail
    assert set(settings.allowed_hosts) == {"127.0.0.1", "localhost"}


def test_the_development_key_is_made_once_and_kept_to_its_owner(tmp_path: Path):
    first, second = read({"SALA_VAR": str(tmp_path)}), read({"SALA_VAR": str(tmp_path)})
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_every_default_can_be_read():
    assert read({"SECRET_KEY": KEY, **{name: default for name, default, _ in SETTINGS if name != "SECRET_KEY"}})


def test_every_setting_is_explained():
    assert all(purpose for _, _, purpose in SETTINGS)
    assert len({name for name, _, _ in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    "environment",
    [
        {"SALA_ENV": "production"},
        {"SALA_ENV": "production", "SECRET_KEY": "short"},
        {"SALA_ENV": "production", "SECRET_KEY": KEY, "SALA_DEBUG": "1"},
        {"SALA_ENV": "staging"},
        {"SECRET_KEY": "short"},
        {"SALA_DEBUG": "perhaps"},
        {"PORT": "http"},
        {"PORT": "70000"},
        {"BASE_URL": "ftp://forum.example"},
        {"BASE_URL": "forum.example"},
        {"WORKER": "later"},
        {"TRUSTED_PROXIES": "the proxy"},
        {"DATABASE_READ_URL": "postgresql://sala@replica/sala"},
        {"DATABASE_READ_URL": "sqlite:///replica.sqlite", "DATABASE_URL": "postgresql://sala@db/sala"},
        {"DATABASE_POOLED": "1"},
        {"FORM_MIN_SECONDS": "soon"},
        {"FORM_HOURS": "0"},
        {"BODY_LIMIT_BYTES": "10"},
        {"THROTTLE_PER_EMAIL": "-1"},
    ],
    ids=lambda environment: "-".join(f"{name}={value[:12]}" for name, value in environment.items()),
)
def test_a_start_that_is_not_safe_or_cannot_be_read_is_refused_in_one_sentence(environment: dict[str, str]):
    with pytest.raises(BadSettings) as refused:
        read({"SECRET_KEY": "" if environment.get("SALA_ENV") == "production" else KEY, **environment})
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_production_start_with_a_key_is_taken():
    settings = read({"SALA_ENV": "production", "SECRET_KEY": KEY, "BASE_URL": "https://forum.example/"})
    assert (settings.production, settings.secure, settings.base_url) == (True, True, "https://forum.example")
    assert "forum.example" in settings.allowed_hosts


def test_lists_are_read_between_commas():
    settings = read({"SECRET_KEY": KEY, "ALLOWED_HOSTS": " a.example , b.example,", "TRUSTED_PROXIES": "10.0.0.1, ::1"})
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert len(settings.trusted_proxies) == 2
