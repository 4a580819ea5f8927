"""Which route answers: the same one as if all of them were asked in turn."""

import re

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from app.web.routes import BRANCHES, ROUTES

PATHS = sorted({str(route.path) for route in iter_route_contexts(ROUTES)})
FILLED = {"lang": "km", "kind": "csv", "rest:path": "base/layout.css"}


def found(routes, method: str, path: str):
    """The match, and the template of the path that fits."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [], "query_string": b""}
    nearly = (Match.NONE, "")
    for route in routes:
        match, child = route.matches(dict(scope))
        if match is not Match.NONE and nearly[0] is not Match.FULL and (match is Match.FULL or nearly[0] is Match.NONE):
            nearly = match, str(child.get("path_params"))
        if match is Match.FULL:
            break
    return nearly


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_is_answered_by_the_route_it_always_was(method: str) -> None:
    for path in PATHS:
        address = re.sub(r"{([a-z:]+)}", lambda part: FILLED.get(part[1], "abcdefg"), path)
        assert found(BRANCHES, method, address) == found(ROUTES, method, address), address


@pytest.mark.parametrize("path", ["", "*", "/", "//", "/xx", "/desk", "/desk/", "/nothing/at/all/of/this/length", "x"])
def test_an_odd_address_is_no_fault(path: str) -> None:
    assert found(BRANCHES, "GET", path)[0] in set(Match)
