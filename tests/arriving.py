"""Whoever presses a button of a page looks at the next one when that is there, and not at the page they are leaving."""

import time
from typing import Any

LEAVING = """
addEventListener("submit", event => { if (!event.defaultPrevented) window.isLeaving = true })
addEventListener("click", event => {
    const link = event.target.closest?.("a[href]")
    if (!link || link.target || event.defaultPrevented) return
    const stays = /\\.[a-z]{3,4}([?#]|$)|#/  // a file, or a place of this page
    if (!stays.test(link.getAttribute("href"))) window.isLeaving = true
})
"""
"""Set in a page when a form leaves it or a link of another page is followed, and so gone in the next."""
SECONDS = 10.0


def arriving(tab: Any) -> Any:
    """The same tab, whose `click` and `press` end on the page that they lead to: the driver waits only for what the
    browser has begun by then, which on a busy machine is not always the case."""
    tab.add_init_script(LEAVING)
    for name in ("click", "press"):
        setattr(tab, name, _arrived(tab, getattr(tab, name)))
    return tab


def _arrived(tab: Any, act: Any) -> Any:
    def done(*given: Any, **options: Any) -> None:
        act(*given, **options)
        until = time.monotonic() + SECONDS
        while _is_leaving(tab):
            assert time.monotonic() < until, f"{given[0]} leads nowhere from {tab.url}"
            time.sleep(0.01)

    return done


def _is_leaving(tab: Any) -> bool:
    from playwright.sync_api import Error

    try:
        tab.wait_for_load_state("domcontentloaded")
        return bool(tab.evaluate("window.isLeaving === true"))
    except Error as failure:
        if "context was destroyed" in str(failure) or "navigat" in str(failure):
            return True
        raise
