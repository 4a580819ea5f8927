"""What every request passes before the router: host, body size, proxy headers; and the headers every answer gets."""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from app.kit.errors import BodyTooLarge
from app.kit.i18n import LANGS
from app.kit.settings import Settings
from app.programme.portraits import PHOTO_BYTES
from app.registration.rules.questions import MOST_FILES
from app.web.headers import ALWAYS, HSTS

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = Iterable[tuple[bytes, bytes]]
_ADDED = [(name.encode(), value.encode()) for name, value in ALWAYS]


TAKES_FILES = (
    re.compile(r"/(en|km)/[a-z0-9-]+/register/[a-z0-9]+"),
    re.compile(r"/(en|km)/my/[A-Za-z0-9_-]+/details"),
    re.compile(r"/(en|km)/invitations/[A-Za-z0-9_-]+/registration"),
)
"""Where forms with answers are sent, which may ask for files."""
TAKES_MATERIALS = re.compile(r"/desk/[a-z0-9-]+/materials/[A-Za-z0-9]+")
"""Where the desk sends materials: at most a file in each language."""
TAKES_PHOTOS = (
    re.compile(r"/(en|km)/speaking/[A-Za-z0-9_-]+/photo"),
    re.compile(r"/desk/[a-z0-9-]+/speakers/[a-z0-9-]+/photo"),
)
"""Where photographs of speakers are sent."""
_IN_THE_API = r"/api/v1/forums/[a-z0-9-]+"
_TOO_LARGE = 413
PUTS_MATERIALS = re.compile(rf"{_IN_THE_API}/materials/[A-Z0-9]+/files/(en|km)")
PUTS_PHOTOS = re.compile(rf"{_IN_THE_API}/speakers/[a-z0-9-]+/photo")
"""Where a program puts one file, which is the whole body."""


_MOST_PEERS = 100
"""Proxies whose addresses are known as they are written, and not read each time."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?")
_MOST_PASSED = 1000


class Hosts:
    """The host names that a site answers to. Asked before each answer, ready ones too: what is said in so many bytes is
    taken apart once."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._names = {name.lower().encode("latin-1", "replace") for name in allowed}
        self._passed: set[bytes] = set()

    def serve(self, headers: Headers) -> bool:
        """Does a request with these headers name one host, and is it this site's? A port is digits."""
        host = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    return False
                host = value
        return host in self._passed or (host is not None and self._is_ours(host))

    def _is_ours(self, host: bytes) -> bool:
        said = _HOST.fullmatch(host)
        if said is None or (said[1].lower() not in self._names and b"*" not in self._names):
            return False
        if len(self._passed) < _MOST_PASSED:
            self._passed.add(host)
        return True


class Guards:
    """An ASGI layer around the router; `too_large` answers where a body is announced that is not even read."""

    def __init__(self, app: App, settings: Settings, too_large: App) -> None:
        self.app = app
        self._too_large = too_large
        self.hosts = Hosts(settings.allowed_hosts)
        self._limit = settings.body_limit_bytes
        self._limit_with_files = settings.body_limit_bytes + MOST_FILES * settings.file_limit_bytes
        self._limit_with_materials = settings.body_limit_bytes + len(LANGS) * settings.material_limit_bytes
        self._limit_of_one = settings.body_limit_bytes + settings.material_limit_bytes
        self._proxies = [ipaddress.ip_network(proxy) for proxy in settings.trusted_proxies]
        self._peers: set[str] = set()
        name, value = HSTS
        told = value if settings.hsts_subdomains else value.partition(";")[0]
        self._added = _ADDED + ([(name.encode(), told.encode())] if settings.secure else [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers, refused = dict(scope["headers"]), False

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [(name, value) for name, value in self._added if name not in given]
                if refused or message["status"] == _TOO_LARGE:
                    added.append((b"connection", b"close"))  # what is left of the request is not read
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        if not self.hosts.serve(scope["headers"]):
            refused = True
            return await _short(answer, 400, b"This host name is not served here.\n")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or (b"transfer-encoding" in headers and b"content-length" in headers):
            refused = True
            return await _short(answer, 400, b"The length of the request is not clear.\n")
        limit = self._limit_of(scope, headers)
        scope["client_address"] = self._client(scope, headers)
        if len(length) > 18 or int(length) > limit:  # int() itself refuses thousands of digits
            return await self._too_large(scope, receive, answer)
        return await self.app(scope, _limited(receive, limit), answer)

    def _limit_of(self, scope: Scope, headers: dict[bytes, bytes]) -> int:
        """How many bytes are taken: more only where a form may bring files, and comes in the form that can, or where a
        program puts a file. What is a little too large comes through, to be told so by the rule that says it."""
        if scope["method"] == "PUT":
            if PUTS_MATERIALS.fullmatch(scope["path"]):
                return self._limit_of_one
            return self._limit + PHOTO_BYTES if PUTS_PHOTOS.fullmatch(scope["path"]) else self._limit
        brings = headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")
        if not brings or scope["method"] != "POST":
            return self._limit
        if TAKES_MATERIALS.fullmatch(scope["path"]):
            return self._limit_with_materials
        if any(path.fullmatch(scope["path"]) for path in TAKES_PHOTOS):
            return self._limit + PHOTO_BYTES
        takes = any(path.fullmatch(scope["path"]) for path in TAKES_FILES)
        return self._limit_with_files if takes else self._limit

    def _client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """The address to throttle by: the peer's, or what a trusted proxy says of it (its last word, not the first)."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        if not self.is_proxy(peer):
            return peer
        for said in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
            known = _address(said.strip())
            if known is None:
                return peer
            if not self._believes(known):
                return said.strip()
        return peer

    def is_proxy(self, text: str) -> bool:
        """Whether this address is one of the proxies that are believed."""
        if text in self._peers:
            return True
        address = _address(text)
        if address is None or not self._believes(address):
            return False
        if len(self._peers) < _MOST_PEERS:
            self._peers.add(text)
        return True

    def _believes(self, address: _Address) -> bool:
        return any(address in network for network in self._proxies)


def _limited(receive: Receive, limit: int) -> Receive:
    """A body sent in chunks announces no length, so it is counted as it comes."""
    seen = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge
        return message

    return counted


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


async def _short(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
