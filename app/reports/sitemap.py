"""A sitemap (sitemaps.org, version 0.9): the public addresses of a forum, each with its twin in the other language."""

from collections.abc import Sequence
from xml.etree import ElementTree

from app.kit.i18n import LANGS

_NAMESPACE, _XHTML = "http://www.sitemaps.org/schemas/sitemap/0.9", "http://www.w3.org/1999/xhtml"


def as_sitemap(base_url: str, tails: Sequence[str]) -> bytes:
    """The pages at `/{lang}` + each tail ("/phnom-penh-2027/programme"), in every language."""
    root = ElementTree.Element("urlset", {"xmlns": _NAMESPACE, "xmlns:xhtml": _XHTML})
    for tail in tails:
        for lang in LANGS:
            there = ElementTree.SubElement(root, "url")
            ElementTree.SubElement(there, "loc").text = f"{base_url}/{lang}{tail}"
            for twin in LANGS:
                marks = {"rel": "alternate", "hreflang": twin, "href": f"{base_url}/{twin}{tail}"}
                ElementTree.SubElement(there, "xhtml:link", marks)
    return _bytes(root)


def as_index(addresses: Sequence[str]) -> bytes:
    """An index of sitemaps by their whole addresses."""
    root = ElementTree.Element("sitemapindex", {"xmlns": _NAMESPACE})
    for address in addresses:
        ElementTree.SubElement(ElementTree.SubElement(root, "sitemap"), "loc").text = address
    return _bytes(root)


def _bytes(root: ElementTree.Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
