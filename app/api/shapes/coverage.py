"""What the working copy covers, and whose voices it hears."""

from pydantic import BaseModel

from app.api.shapes.general import example
from app.programme.inputs import SpeakerKind


class CoveredShape(BaseModel):
    """One thing to be covered, by its number, code or slug, with the codes of the sessions that do; none where it is
    missing."""

    model_config = example(key="maritime-lanes", sessions=["D1-04", "D2-02"])

    key: str
    sessions: list[str]


class VoiceShape(BaseModel):
    """Somebody's part in a session, both by their codes."""

    model_config = example(session="D1-04", speaker="minister-of-examples")

    session: str
    speaker: str


class PartsShape(BaseModel):
    """Who has a role: of a group (`asean`, `other`, `unknown`), or of a country ("" where it is not known)."""

    model_config = example(role="chair", of="asean", parts=[{"session": "D1-04", "speaker": "minister-of-examples"}])

    role: str
    of: str
    parts: list[VoiceShape]


class CoverageShape(BaseModel):
    """The report on coverage. `alike` says of which sessions the people are all of one kind, or who is missing among
    them; cancelled sessions count nowhere."""

    model_config = example(
        objectives=[{"key": "1", "sessions": ["D1-04"]}],
        tracks=[{"key": "A", "sessions": ["D1-04"]}],
        themes=[{"key": "maritime-lanes", "sessions": []}],
        facets=[{"key": "none", "sessions": []}],
        alike=[{"key": "no_civil_society", "sessions": ["D1-04"]}],
        groups=[],
        countries=[],
    )

    objectives: list[CoveredShape]
    tracks: list[CoveredShape]
    themes: list[CoveredShape]
    facets: list[CoveredShape]
    alike: list[CoveredShape]
    groups: list[PartsShape]
    countries: list[PartsShape]


class VoicesShape(BaseModel):
    """Whose voice each speaker of the working copy is, by the speaker's code; null where it is not known."""

    model_config = example(voices={"minister-of-examples": "government", "forum-chair": None})

    voices: dict[str, SpeakerKind | None]
