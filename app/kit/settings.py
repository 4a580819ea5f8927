"""Every setting: an environment variable with a safe default. A production start that is not safe refuses."""

import importlib.util
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


class BadSettings(Exception):
    """The environment asks for something that cannot or must not be; the text says what and how to mend it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as read once at the start. Times in the unit that the name ends with."""

    production: bool
    debug: bool
    secret_key: bytes
    database_url: str
    database_read_url: str
    database_pooled: bool
    base_url: str
    host: str
    port: int
    var: Path
    worker_inline: bool
    smtp_url: str
    mail_from: str
    bulk_mails_a_minute: int
    trusted_proxies: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    hsts_subdomains: bool
    throttle_per_address: int
    throttle_per_email: int
    throttle_wrong_codes: int
    throttle_per_delegation: int
    throttle_window_seconds: int
    api_per_minute: int
    unconfirmed_principals: int
    principals_per_address: int
    form_hours: int
    form_min_seconds: float
    body_limit_bytes: int
    head_limit_bytes: int
    head_seconds: float
    body_bytes_a_second: int
    connections: int
    file_limit_bytes: int
    material_limit_bytes: int
    backup_folder: Path | None
    log_level: str
    log_format: str
    log_requests: bool
    metrics_token: str
    traces_url: str

    @property
    def secure(self) -> bool:
        """Is the site reached by https (so cookies may be marked Secure)?"""
        return self.base_url.startswith("https://")

    @property
    def sends_mail(self) -> bool:
        return bool(self.smtp_url)


# name, default as text, what it is for: the README's table is checked against this list
SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("SALA_ENV", "development", "`production` refuses to start without a secret key or with the debug flag on"),
    ("SALA_DEBUG", "0", "error pages show the traceback; never in production"),
    ("SECRET_KEY", "", "32 or more random characters; in development made once and kept under `var/`"),
    ("DATABASE_URL", "sqlite:///var/sala.sqlite", "SQLite file, or `postgresql+psycopg://user:password@host/name`"),
    (
        "DATABASE_READ_URL",
        "",
        "a streaming replica of that PostgreSQL: up to date, it answers the desk, the API and private calendars",
    ),
    (
        "DATABASE_POOLED",
        "0",
        "1: the addresses of the database lead to a pooler in transaction mode, such as PgBouncer",
    ),
    ("BASE_URL", "", "the address people use, for links in mails; default `http://127.0.0.1:PORT`"),
    ("HOST", "127.0.0.1", "the address listened on"),
    ("PORT", "8000", "the port listened on"),
    ("SALA_VAR", "var", "folder for the database, built assets, compiled templates and the development key"),
    ("WORKER", "inline", "`inline`: jobs run in the web process; `none`: run `sala worker` beside it"),
    ("SMTP_URL", "", "`smtp://user:password@host:587?starttls=1` or `smtps://…`; empty: mail waits in the outbox"),
    ("MAIL_FROM", "Sala <sala@localhost>", "the sender of every mail"),
    ("BULK_MAILS_A_MINUTE", "60", "mails of mailings that leave in a minute, behind all others; 0 = no limit"),
    ("TRUSTED_PROXIES", "", "addresses or networks (comma-separated) whose X-Forwarded-For is believed"),
    ("ALLOWED_HOSTS", "", "host names answered (comma-separated); default: that of BASE_URL and this machine"),
    ("HSTS_SUBDOMAINS", "1", "0: other hosts below the site's name do not all speak https"),
    (
        "THROTTLE_PER_ADDRESS",
        "200",
        "registrations and sign-in mails from one network address in a window (a ministry may share one); 0 = no limit",
    ),
    (
        "THROTTLE_PER_EMAIL",
        "6",
        "the same for one e-mail address; that of an assistant, once confirmed, counts as a network address",
    ),
    (
        "THROTTLE_WRONG_CODES",
        "12",
        "wrong invitation codes tried from one network address in a window, codes of one second factor; 0 = no limit",
    ),
    (
        "THROTTLE_PER_DELEGATION",
        "30",
        "lists looked at and people named by one focal point in a window, on top of one for each seat; 0 = no limit",
    ),
    ("THROTTLE_WINDOW_SECONDS", "3600", "the window"),
    ("API_PER_MINUTE", "600", "requests that one API token may make in a minute, of each process; 0 = no limit"),
    ("UNCONFIRMED_PRINCIPALS", "3", "people an assistant may register before the address is confirmed; 0 = no limit"),
    (
        "PRINCIPALS_PER_ADDRESS",
        "10",
        "people an assistant may have registered at one time; who brings more needs a delegation; 0 = no limit",
    ),
    ("FORM_HOURS", "12", "how long an opened form may be sent"),
    ("FORM_MIN_SECONDS", "1.5", "a public form sent quicker than this was not filled in by a person"),
    ("BODY_LIMIT_BYTES", "1048576", "the largest request body taken"),
    ("HEAD_LIMIT_BYTES", "65536", "the largest request line with its headers"),
    ("HEAD_SECONDS", "15", "so long a client may take to send them; a line on which nothing is sent is closed as well"),
    ("BODY_BYTES_A_SECOND", "1024", "a body that comes more slowly is not waited for; 0 = however slowly"),
    ("CONNECTIONS", "1000", "connections that one process holds at a time, those of a proxy among them"),
    (
        "FILE_LIMIT_BYTES",
        "5242880",
        "the largest file taken as an answer; a form that asks for files may be larger by three",
    ),
    ("MATERIAL_LIMIT_BYTES", "26214400", "the largest file taken as a material of a session, in each language"),
    ("BACKUP_FOLDER", "", "where copies are kept: `sala doctor` says if the newest is older than two days"),
    ("LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`"),
    ("LOG_FORMAT", "text", "`text` or `json`, a line each; neither holds personal data"),
    ("LOG_REQUESTS", "0", "1: a line for each request that reaches the router; slow ones (1 s) always have one"),
    ("METRICS_TOKEN", "", "the bearer token with which `/metrics` is read, 16 or more characters; empty: no such page"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "where traces are sent (OTLP over HTTP; `/v1/traces` is put behind it); empty: none are made",
    ),
)
_DEFAULTS = {name: default for name, default, _ in SETTINGS}


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises BadSettings, with one plain sentence, where a value cannot be read or a production start is not safe.
    """
    source = os.environ if environ is None else environ

    def text(name: str) -> str:
        return source.get(name, "").strip() or _DEFAULTS[name]

    env = text("SALA_ENV")
    if env not in {"development", "production"}:
        raise BadSettings(f"SALA_ENV must be development or production, not {env!r}.")
    production, debug = env == "production", _flag("SALA_DEBUG", text("SALA_DEBUG"))
    if production and debug:
        raise BadSettings("SALA_DEBUG is on in production: it would show tracebacks to visitors. Turn it off.")
    var = Path(text("SALA_VAR"))
    port = _whole("PORT", text("PORT"), 0, 65535)
    base_url = (text("BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSettings(f"BASE_URL must be an http or https address, not {base_url!r}.")
    if text("WORKER") not in {"inline", "none"}:
        raise BadSettings("WORKER must be inline or none.")
    hosts = _list(text("ALLOWED_HOSTS")) or tuple(dict.fromkeys((parts.hostname, "127.0.0.1", "localhost")))
    return Settings(
        production=production,
        debug=debug,
        secret_key=_secret(text("SECRET_KEY"), production, var),
        database_url=text("DATABASE_URL"),
        database_read_url=_replica(text("DATABASE_READ_URL"), text("DATABASE_URL")),
        database_pooled=_pooled(text("DATABASE_POOLED"), text("DATABASE_URL")),
        base_url=base_url,
        host=text("HOST"),
        port=port,
        var=var,
        worker_inline=text("WORKER") == "inline",
        smtp_url=text("SMTP_URL"),
        mail_from=text("MAIL_FROM"),
        bulk_mails_a_minute=_whole("BULK_MAILS_A_MINUTE", text("BULK_MAILS_A_MINUTE")),
        trusted_proxies=_networks("TRUSTED_PROXIES", text("TRUSTED_PROXIES")),
        allowed_hosts=hosts,
        hsts_subdomains=_flag("HSTS_SUBDOMAINS", text("HSTS_SUBDOMAINS")),
        throttle_per_address=_whole("THROTTLE_PER_ADDRESS", text("THROTTLE_PER_ADDRESS")),
        throttle_per_email=_whole("THROTTLE_PER_EMAIL", text("THROTTLE_PER_EMAIL")),
        throttle_wrong_codes=_whole("THROTTLE_WRONG_CODES", text("THROTTLE_WRONG_CODES")),
        throttle_per_delegation=_whole("THROTTLE_PER_DELEGATION", text("THROTTLE_PER_DELEGATION")),
        throttle_window_seconds=_whole("THROTTLE_WINDOW_SECONDS", text("THROTTLE_WINDOW_SECONDS"), 1),
        api_per_minute=_whole("API_PER_MINUTE", text("API_PER_MINUTE")),
        unconfirmed_principals=_whole("UNCONFIRMED_PRINCIPALS", text("UNCONFIRMED_PRINCIPALS")),
        principals_per_address=_whole("PRINCIPALS_PER_ADDRESS", text("PRINCIPALS_PER_ADDRESS")),
        form_hours=_whole("FORM_HOURS", text("FORM_HOURS"), 1),
        form_min_seconds=_seconds("FORM_MIN_SECONDS", text("FORM_MIN_SECONDS")),
        body_limit_bytes=_whole("BODY_LIMIT_BYTES", text("BODY_LIMIT_BYTES"), 1024),
        head_limit_bytes=_whole("HEAD_LIMIT_BYTES", text("HEAD_LIMIT_BYTES"), 4096, 1 << 20),
        head_seconds=max(0.1, _seconds("HEAD_SECONDS", text("HEAD_SECONDS"))),
        body_bytes_a_second=_whole("BODY_BYTES_A_SECOND", text("BODY_BYTES_A_SECOND")),
        connections=_whole("CONNECTIONS", text("CONNECTIONS"), 1),
        file_limit_bytes=_whole("FILE_LIMIT_BYTES", text("FILE_LIMIT_BYTES"), 1024),
        material_limit_bytes=_whole("MATERIAL_LIMIT_BYTES", text("MATERIAL_LIMIT_BYTES"), 1024, 1 << 28),
        backup_folder=Path(text("BACKUP_FOLDER")) if text("BACKUP_FOLDER") else None,
        log_level=_one_of("LOG_LEVEL", text("LOG_LEVEL").lower(), ("debug", "info", "warning", "error")),
        log_format=_one_of("LOG_FORMAT", text("LOG_FORMAT"), ("text", "json")),
        log_requests=_flag("LOG_REQUESTS", text("LOG_REQUESTS")),
        metrics_token=_token("METRICS_TOKEN", text("METRICS_TOKEN")),
        traces_url=_traces(source),
    )


def _replica(text: str, primary: str) -> str:
    if text and not primary.startswith("postgresql"):
        raise BadSettings("DATABASE_READ_URL is a replica of PostgreSQL, and DATABASE_URL is none: leave it empty.")
    if text and not text.startswith(("postgresql://", "postgresql+psycopg://")):
        raise BadSettings("DATABASE_READ_URL must begin with postgresql:// or postgresql+psycopg://.")
    return text


def _pooled(text: str, primary: str) -> bool:
    pooled = _flag("DATABASE_POOLED", text)
    if pooled and not primary.startswith("postgresql"):
        raise BadSettings("DATABASE_POOLED is for PostgreSQL behind a pooler: turn it off.")
    return pooled


def _flag(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise BadSettings(f"{name} must be 1 or 0, not {text!r}.")


def _whole(name: str, text: str, least: int = 0, most: int = 2**31) -> int:
    try:
        number = int(text)
    except ValueError:
        raise BadSettings(f"{name} must be a whole number, not {text!r}.") from None
    if not least <= number <= most:
        raise BadSettings(f"{name} must be between {least} and {most}, not {number}.")
    return number


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise BadSettings(f"{name} must be one of {', '.join(known)}, not {text!r}.")
    return text


def _token(name: str, text: str) -> str:
    if text and (len(text) < 16 or not text.isascii() or " " in text):
        raise BadSettings(f"{name} must have 16 or more letters and digits.")
    return text


def _has(*modules: str) -> bool:
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ModuleNotFoundError:  # of a package around one
        return False


_OTEL = "OTEL_EXPORTER_OTLP"


def _traces(source: Mapping[str, str]) -> str:
    """Where traces are sent, as OpenTelemetry's own variables say it: the one for traces, or the one for all with the
    path behind it. The SDK reads the others (headers, time, sampling, names) by itself."""

    def said(name: str) -> str:
        return source.get(name, "").strip()

    everything, own = said(f"{_OTEL}_ENDPOINT"), said(f"{_OTEL}_TRACES_ENDPOINT")
    address = own or (f"{everything.rstrip('/')}/v1/traces" if everything else "")
    exporter = said("OTEL_TRACES_EXPORTER").lower() or "otlp"
    if not address or exporter == "none" or said("OTEL_SDK_DISABLED").lower() == "true":
        return ""
    protocol = said(f"{_OTEL}_TRACES_PROTOCOL") or said(f"{_OTEL}_PROTOCOL") or "http/protobuf"
    if exporter != "otlp" or protocol != "http/protobuf":
        raise BadSettings("Traces are sent by OTLP as http/protobuf; unset the other exporter or protocol (OTEL_…).")
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadSettings(f"{_OTEL}_ENDPOINT must be an http or https address.")  # not shown: it may hold a password
    if not _has("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        raise BadSettings(f"{_OTEL}_ENDPOINT is set, and what sends traces is not installed: install sala[traces].")
    return address


def _seconds(name: str, text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        raise BadSettings(f"{name} must be a number of seconds, not {text!r}.") from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _networks(name: str, text: str) -> tuple[str, ...]:
    for part in _list(text):
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise BadSettings(f"{name} must hold addresses or networks such as 10.0.0.0/24, not {part!r}.") from None
    return _list(text)


_DIFFERENT = 10
"""So many different characters a key of 32 has at least, made by chance: every lasting link hangs on it."""


def _secret(given: str, production: bool, var: Path) -> bytes:
    if given:
        if len(given) < 32:
            raise BadSettings("SECRET_KEY is too short: it must have 32 or more random characters.")
        if len(set(given)) < _DIFFERENT:
            raise BadSettings("SECRET_KEY is not random. Let a command make it: openssl rand -base64 32")
        return given.encode()
    if production:
        raise BadSettings("SECRET_KEY is not set. A production start needs one: 32 or more random characters.")
    path = var / "secret.key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        except FileExistsError:  # another process was quicker; its key is as good
            return path.read_bytes().strip()
    return path.read_bytes().strip()
