"""Asking an address that somebody typed, so that it leads to nothing inside: no private networks, no redirects.

The name is looked up once, every address behind it is checked, and the line is opened to the very address that was
checked, so that a name cannot mean another machine a moment later.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

SECONDS = 10.0
"""How long connecting, and each step of the answer, may take; all of it together twice as long."""
PORTS = frozenset({443, 8443})


class Unreachable(Exception):
    """The address leads nowhere, or to where nothing is sent; the text says why, for whoever keeps the address."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart: how, whose name, which port, and what is asked there."""

    secure: bool
    host: str
    port: int
    target: str


def place_of(address: str, *, loopback: bool) -> Place:
    """An https address on a usual port; with `loopback` also http to this machine. Raises Unreachable."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise Unreachable("not an address") from None
    host = (parts.hostname or "").rstrip(".")
    odd = any(not "!" <= letter <= "~" for letter in address) or "\\" in address or "@" in parts.netloc
    if odd or not host or parts.fragment:
        raise Unreachable("not an address")
    here = loopback and host in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme == "https" and (here or (port or 443) in PORTS):
        return Place(True, host, port or 443, _target(parts))
    if parts.scheme == "http" and here:
        return Place(False, host, port or 80, _target(parts))
    raise Unreachable("not an https address")


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(text: str) -> bool:
    """Is this an address of the open internet? Private, loopback, link-local, multicast and reserved ones are not, nor
    IPv6 addresses in which such an IPv4 one is wrapped (mapped, 6to4, Teredo, NAT64)."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    if any(address in network for network in _NOBODYS if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


_NOBODYS = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16")),
)
"""What Pythons take for public, in part or whole: for protocols (RFC 6890) and relays (RFC 7526), site-local addresses
(RFC 3879), for documents (RFC 9637), for segments of a route (RFC 9602)."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def post(address: str, body: bytes, headers: Mapping[str, str], *, loopback: bool, seconds: float = SECONDS) -> int:
    """Send a body and give the status that was answered. Raises Unreachable where nothing was."""
    place = place_of(address, loopback=loopback)
    line = _Line(place, _checked(place, loopback=loopback), seconds)
    watch = threading.Timer(2 * seconds, line.cut)  # an answer that comes letter by letter resets each step's time
    watch.start()
    try:
        line.request("POST", place.target, body, {"user-agent": "Sala", "accept": "*/*", **headers})
        status = line.getresponse().status  # what it says besides is not even read
    except (OSError, http.client.HTTPException) as fault:
        raise Unreachable(f"no answer: {type(fault).__name__}") from None
    finally:
        watch.cancel()
        line.close()
    return status


def _checked(place: Place, *, loopback: bool) -> str:
    """The first address behind the name, where every one of them may be asked."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreachable("no such name") from None
    addresses = [str(each[4][0]) for each in found]
    allowed = [is_public(one) or (loopback and ipaddress.ip_address(one).is_loopback) for one in addresses]
    if not addresses or not all(allowed):
        raise Unreachable("not an address of the open internet")
    return addresses[0]


class _Line(http.client.HTTPConnection):
    """A line to one checked address; what is said on it, and the certificate, are of the name."""

    def __init__(self, place: Place, address: str, seconds: float) -> None:
        super().__init__(place.host, place.port, timeout=seconds)
        self._place, self._address = place, address

    def connect(self) -> None:
        """Open the line."""
        self.sock = socket.create_connection((self._address, self._place.port), self.timeout)
        if self._place.secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._place.host)

    def cut(self) -> None:
        """Break the line off, from another thread."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
