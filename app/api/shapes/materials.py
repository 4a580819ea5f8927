"""Materials and their files."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.api.shapes.general import WHEN, example
from app.kit.i18n import Bilingual


class FileShape(BaseModel):
    """A material's file in one language: the sender's name for it, what it is by its bytes, its size in bytes and the
    SHA-256 of it in hex."""

    model_config = example(
        language="en", name="lanes.pdf", kind="application/pdf", size=48213, digest="9f86d0…", sent_at=WHEN
    )

    language: str
    name: str
    kind: str
    size: int
    digest: str
    sent_at: datetime


class MaterialShape(BaseModel):
    """A material as the desk has it. `session`: a code of the working copy, "forum" for the forum as a whole, null
    where its session was taken out. `stage` is how it stands for everybody at this moment: "there", "announced" or
    "absent"; `opens_at` from when it may be read, null where it may at once or no time is known. `removed_at`: null, or
    it was removed and can be brought back for thirty days."""

    model_config = example(
        code="K3TP9QA",
        edition=2,
        session="D1-04",
        kind="paper",
        title={"en": "Lanes at sea", "km": "ផ្លូវសមុទ្រ"},
        note=None,
        link=None,
        release="with_start",
        release_at=None,
        announced=True,
        against_delivery=False,
        stays=False,
        stage="announced",
        opens_at=WHEN,
        removed_at=None,
        files=[
            {
                "language": "en",
                "name": "lanes.pdf",
                "kind": "application/pdf",
                "size": 48213,
                "digest": "9f86d0…",
                "sent_at": WHEN,
            }
        ],
    )

    code: str
    edition: int
    session: str | None
    kind: str
    title: Bilingual
    note: Bilingual | None
    link: str | None
    release: str
    release_at: datetime | None
    announced: bool
    against_delivery: bool
    stays: bool
    stage: str
    opens_at: datetime | None
    removed_at: datetime | None
    files: list[FileShape] = Field(description="At most one in each language; none while it waits for its file.")
