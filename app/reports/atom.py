"""An Atom feed (RFC 4287): what changed from version to version, for readers that poll."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree

_NAMESPACE = "http://www.w3.org/2005/Atom"
ElementTree.register_namespace("", _NAMESPACE)


@dataclass(frozen=True, slots=True)
class AtomEntry:
    """One version: its lasting id (a URN), the instant it was published (UTC), where it stands, its lines as text."""

    id: str
    title: str
    published: datetime
    address: str
    summary: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class AtomFeed:
    """A feed with its entries, the newest first. `begun` is when it changed last where it has none yet (UTC)."""

    id: str
    title: str
    author: str
    lang: str
    page: str
    address: str
    begun: datetime
    entries: Sequence[AtomEntry]


def as_atom(feed: AtomFeed) -> bytes:
    """The feed as XML in UTF-8. The same values give the same bytes."""
    root = ElementTree.Element(f"{{{_NAMESPACE}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": feed.lang})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _instant(max((entry.published for entry in feed.entries), default=feed.begun)))
    _text(_text(root, "author", ""), "name", feed.author)
    _link(root, "self", feed.address, "application/atom+xml")
    _link(root, "alternate", feed.page, "text/html")
    for entry in feed.entries:
        there = ElementTree.SubElement(root, f"{{{_NAMESPACE}}}entry")
        _text(there, "id", entry.id)
        _text(there, "title", entry.title)
        _text(there, "published", _instant(entry.published))
        _text(there, "updated", _instant(entry.published))
        _link(there, "alternate", entry.address, "text/html")
        _text(there, "summary", entry.summary)
        if entry.lines:
            items = "".join(f"<li>{escape(line, quote=False)}</li>" for line in entry.lines)
            _text(there, "content", f"<ul>{items}</ul>").set("type", "html")
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _text(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    there = ElementTree.SubElement(parent, f"{{{_NAMESPACE}}}{name}")
    there.text = text
    return there


def _link(parent: ElementTree.Element, rel: str, address: str, kind: str) -> None:
    ElementTree.SubElement(parent, f"{{{_NAMESPACE}}}link", {"rel": rel, "type": kind, "href": address})


def _instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds (RFC 4287 §3.3)."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
