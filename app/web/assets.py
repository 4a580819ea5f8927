"""Style sheets, scripts and fonts as bytes with addresses that change when they do, so browsers keep them for ever."""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent.parent.parent / "static"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its body and media type."""

    body: bytes
    media_type: str


class Assets:
    """All files under `static/` and the built ones under `var/assets`, by address."""

    def __init__(self, built: Path) -> None:
        self._by_url: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        files: dict[str, bytes] = {}
        for root in (built, STATIC):
            for path in sorted(root.rglob("*")) if root.exists() else []:
                if path.is_file():
                    files[path.relative_to(root).as_posix()] = path.read_bytes()
        # style sheets name fonts by their plain address: those get their digest first, then the sheets that use them
        for name, body in sorted(files.items(), key=lambda item: item[0].endswith(".css")):
            if name.endswith(".css"):
                text = body.decode()
                for known, url in self._urls.items():
                    text = text.replace(f'url("/static/{known}")', f'url("{url}")')
                body = text.encode()  # noqa: PLW2901
            url = f"/static/{hashlib.sha256(body).hexdigest()[:12]}/{name}"
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._urls[name] = url
            self._by_url[url] = Asset(body, "font/woff2" if name.endswith(".woff2") else kind)

    def url(self, name: str) -> str:
        """The address of `static/<name>`. Raises KeyError where there is no such file."""
        return self._urls[name]

    def get(self, url: str) -> Asset | None:
        return self._by_url.get(url)
