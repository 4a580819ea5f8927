"""Makes the README's pictures: a forum of fictional people, the real site, Chromium. Run by `make screenshots`."""

import shutil
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from app.cli.access import owner_link
from app.cli.forum import load_file
from app.cli.house import House
from app.cli.seed import fill
from app.cli.serve import FORUMS
from app.kit import clock
from app.kit import settings as kit_settings
from app.kit.db import Database
from app.kit.migrating import migrate
from app.kit.pen import Pen
from app.main import create_app
from app.web.fonts import build

PICTURES = Path(__file__).parent / "pictures"
PORT = 8765
SITE = f"http://127.0.0.1:{PORT}"
FORUM = "phnom-penh-2027"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


def main() -> None:
    """Make the three pictures anew."""
    chromium = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if chromium is None:
        sys.exit("The pictures are taken by Chromium; please install it.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, clock.reading(lambda: datetime(2026, 12, 1, 3, 0, tzinfo=UTC)):
        link = serve(Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            take(browser, "programme.png", f"{SITE}/en/{FORUM}/programme", 1200, 900)
            take(browser, "register-km.png", f"{SITE}/km/{FORUM}/register/stu", 390, 1100)
            desk(browser, link)
            browser.close()


def serve(folder: Path) -> str:
    """The site with 290 fictional people, in a thread; a sign-in link for its owner."""
    settings = kit_settings.read(
        {"SALA_VAR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/sala.sqlite", "PORT": str(PORT)}
    )
    database = Database(settings.database_url)
    migrate(database)
    house = House(settings, database, Pen(database))
    load_file(house, FORUMS / f"{FORUM}.yaml")
    fill(house, FORUM, 290)
    build(settings.var / "assets")
    link = owner_link(house, "sokha@secretariat.example")
    config = uvicorn.Config(create_app(settings), port=PORT, log_level="warning")
    threading.Thread(target=uvicorn.Server(config).run, daemon=True).start()
    while True:
        try:
            with urlopen(f"{SITE}/en/{FORUM}"):  # noqa: S310 - our own address
                return link
        except OSError:
            time.sleep(0.1)


def take(browser: Browser, name: str, address: str, width: int, height: int) -> None:
    """One picture of the top of a page."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(address)
    page.screenshot(path=PICTURES / name)
    page.close()


def desk(browser: Browser, link: str) -> None:
    """The desk's first page, signed in by the one-time link."""
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.goto(link)
    page.click("main button")
    page.goto(f"{SITE}/desk/{FORUM}")
    page.screenshot(path=PICTURES / "desk.png")
    page.close()


if __name__ == "__main__":
    main()
