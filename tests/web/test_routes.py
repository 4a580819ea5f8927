"""Which route answers: the same one as if all of them were asked in turn."""

import re

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from app.web.routes import BRANCHES, ROUTES

DOORS = [(str(route.path), method) for route in iter_route_contexts(ROUTES) for method in route.methods or ()]
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


def address_of(path: str) -> str:
    return re.sub(r"{([a-z:]+)}", lambda part: FILLED.get(part[1], "abcdefg"), path)


def test_every_door_is_found_as_if_all_were_asked() -> None:
    for path, method in DOORS:
        assert found(BRANCHES, method, address_of(path)) == found(ROUTES, method, address_of(path)), path


def test_a_method_that_a_door_does_not_know_is_told_from_an_address_that_is_none() -> None:
    for path in sorted({path for path, _ in DOORS}):
        assert found(BRANCHES, "DELETE", address_of(path))[0] is Match.PARTIAL, path
    assert found(BRANCHES, "GET", "/desk/abcdefg/programme/reasons")[0] is Match.PARTIAL, "and is no page in a language"


@pytest.mark.parametrize("path", ["", "*", "/", "//", "/xx", "/desk", "/desk/", "/nothing/at/all/of/this/length", "x"])
def test_an_odd_address_is_no_fault(path: str) -> None:
    assert found(BRANCHES, "GET", path)[0] in set(Match)
