"""Whatever the document allows to be sent, and what it does not: no request is answered with a fault of ours.

One request for every second operation, of what is allowed and of what is not in turn, the same in each run;
with SALA_SOAK (`make soak`) many of both, others each time.
"""

from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from app.accounts.rules import Role
from tests.api.programs import Programs
from tests.breadth import SOAK, some
from tests.cast import SLUG

SETTINGS = hypothesis.settings(
    max_examples=60 if SOAK else 1,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def document(programs: Programs) -> dict[str, Any]:
    programs.enrol("owner", Role.OWNER)
    found: dict[str, Any] = programs.get("/api/v1/openapi.json").json()
    return found


def send(programs: Programs, case: Any) -> Any:
    """The case as the owner's program sends it, in this forum."""
    case.path_parameters = {**(case.path_parameters or {}), "forum": SLUG}
    sent = case.as_transport_kwargs(base_url="http://localhost/api/v1")
    headers = {name: str(value).encode("utf-8", "replace") for name, value in (sent.pop("headers") or {}).items()}
    headers["authorization"] = f"Bearer {programs.tokens['owner']}".encode()
    programs.doors.client.cookies.clear()
    body = {name: sent[name] for name in ("params", "json") if name in sent}
    return programs.doors.client.request(sent["method"], sent["url"], headers=headers, content=sent.get("data"), **body)


MODES = ("positive", "negative")


@pytest.mark.parametrize("mode", MODES)
def test_no_request_is_answered_with_a_fault_of_ours(programs: Programs, document: dict[str, Any], mode: str) -> None:
    import schemathesis  # half a second that no other worker needs

    wrong: list[tuple[str, int]] = []
    asked = set()
    operations = list(schemathesis.openapi.from_dict(document).get_all_operations())
    for found in some(operations, 2 * MODES.index(mode), each=4):
        operation = found.ok()

        @hypothesis.given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
        @SETTINGS
        def ask(case: Any) -> None:
            answer, label = send(programs, case), case.operation.label
            asked.add(label)
            kind = answer.headers.get("content-type", "application/json").partition(";")[0]
            given = case.operation.definition.raw["responses"].get("200", {}).get("content", {"application/json": {}})
            if answer.status_code >= 500 or kind not in {*given, "application/json", "application/problem+json"}:
                wrong.append((f"{label} {case.query} {case.body}"[:500], answer.status_code))

        ask()
    assert not wrong
    assert len(asked) >= len(operations) // (1 if SOAK else 4) > 15
