"""Every door of the site: its route, an address of it that exists, and what each of the cast is answered there.

The permission matrix walks this list, and `test_house` fails for a route that is not on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Door:
    """A method and a route's template; `address` with its blanks filled as `{code}`, `{token}` … by the matrix.

    `answers` names who is answered what; "others" is everybody not named. A form is sent as its page shows it.
    """

    method: str
    path: str
    address: str
    answers: Mapping[str, int]
    form: str = ""
    """The page whose form is sent, for POST."""
    sends: Mapping[str, str] = field(default_factory=dict)


DESK = "/desk/{forum}"
REGISTRATION = DESK + "/registrations/{registration}"
MY = "/{lang}/my/{my}"
IN_THE_OPEN = {"others": 200}


def _post(path: str, address: str, form: str, answers: Mapping[str, int], **sends: str) -> Door:
    return Door("POST", path, address, answers, form, sends)


def _decision(name: str, **sends: str) -> Door:
    answers = {"sokha": 303, "chan": 403, "dara": 404, "others": 401}
    return _post(f"{DESK}/registrations/{{code}}/{name}", f"{REGISTRATION}/{name}", DESK, answers, **sends)


PUBLIC = (
    ("/{lang}/{forum}", "/{lang}/{forum}"),
    ("/{lang}/{forum}/calendar", "/{lang}/{forum}/calendar"),
    ("/{lang}/{forum}/calendar.ics", "/{lang}/{forum}/calendar.ics"),
    ("/{lang}/{forum}/days/{on}.ics", "/{lang}/{forum}/days/2027-03-23.ics"),
    ("/{lang}/{forum}/programme", "/{lang}/{forum}/programme"),
    ("/{lang}/{forum}/programme/changes", "/{lang}/{forum}/programme/changes"),
    ("/{lang}/{forum}/programme/{code}", "/{lang}/{forum}/programme/{session}"),
    ("/{lang}/{forum}/register", "/{lang}/{forum}/register"),
    ("/{lang}/{forum}/register/{category}", "/{lang}/{forum}/register/stu"),
    ("/{lang}/{forum}/sessions/{code}.ics", "/{lang}/{forum}/sessions/{session}.ics"),
    ("/{lang}/{forum}/speakers", "/{lang}/{forum}/speakers"),
    ("/{lang}/{forum}/speakers/{code}", "/{lang}/{forum}/speakers/{speaker}"),
    ("/{lang}/{forum}/speakers/{code}.ics", "/{lang}/{forum}/speakers/{speaker}.ics"),
    ("/{lang}/{forum}/tracks/{slug}.ics", "/{lang}/{forum}/tracks/{track}.ics"),
    ("/calendars/{token}.ics", "/calendars/{feed}.ics"),
    ("/{lang}/my/{secret}", MY),
    ("/{lang}/my/{secret}/cancellation", MY + "/cancellation"),
    ("/{lang}/my/{secret}/details", MY + "/details"),
    ("/login/{link}", "/login/{link}"),
    ("/static/{rest:path}", "/static/{asset}"),
)

DOORS: tuple[Door, ...] = (
    Door("GET", "/", "/", {"others": 303}),
    *(Door("GET", path, address, IN_THE_OPEN) for path, address in PUBLIC),
    _post(
        "/{lang}/{forum}/register/{category}",
        "/{lang}/{forum}/register/stu",
        "/{lang}/{forum}/register/stu",
        IN_THE_OPEN,
        email="rith@elsewhere.example",
        family_name="Heng",
        country="KH",
        attends_as="official",
        consent="yes",
    ),
    _post("/{lang}/my/{secret}/confirmation", MY + "/confirmation", MY, {"others": 303}),
    _post("/{lang}/my/{secret}/acceptance", MY + "/acceptance", MY, {"others": 422}),
    _post("/{lang}/my/{secret}/cancellation", MY + "/cancellation", MY + "/cancellation", {"others": 303}),
    _post("/{lang}/my/{secret}/details", MY + "/details", MY + "/details", {"others": 422}),
    # the test site sends no mail, so its page to ask for a link shows no form
    _post("/login", "/login", "/login", {"others": 422}, email="rith@elsewhere.example"),
    _post("/login/{link}", "/login/{link}", "/login/{link}", {"others": 303}),
    _post("/logout", "/logout", DESK, {"sokha": 303, "chan": 303, "dara": 422, "others": 401}),
    Door("GET", "/login", "/login", {"sokha": 303, "chan": 303, "dara": 303, "others": 200}),
    Door("GET", "/desk", "/desk", {"dara": 200, "others": 303}),
    Door("GET", DESK, DESK, {"sokha": 200, "chan": 200, "dara": 404, "others": 303}),
    Door(
        "GET", f"{DESK}/registrations", f"{DESK}/registrations", {"sokha": 200, "chan": 403, "dara": 404, "others": 303}
    ),
    Door(
        "GET", f"{DESK}/registrations/{{code}}", REGISTRATION, {"sokha": 200, "chan": 403, "dara": 404, "others": 303}
    ),
    Door("GET", f"{DESK}/outbox", f"{DESK}/outbox", {"sokha": 200, "chan": 403, "dara": 404, "others": 303}),
    _decision("approval"),
    _decision("refusal"),
    _decision("cancellation"),
    _decision("category", category="STU"),
    _decision("confirmation"),
    _post(
        f"{DESK}/registrations/{{code}}/link",
        f"{REGISTRATION}/link",
        DESK,
        {"sokha": 200, "chan": 403, "dara": 404, "others": 401},
    ),
)
