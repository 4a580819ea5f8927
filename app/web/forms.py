"""What a form shows again after a refusal: what was typed, and a sentence for each thing wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData

from app.kit.errors import Answer
from app.kit.i18n import Lang
from app.web.pages import sentence


@dataclass(frozen=True, slots=True)
class Form:
    """A form's values by field name (several for checkboxes) and its faults: field → sentence, "" for the whole."""

    kept: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


def refilled(lang: Lang, sent: FormData, refused: Answer, several: tuple[str, ...] = ()) -> Form:
    """The form as it was sent, with what is wrong in words. Fields named in `several` keep a list.

    Files are not kept: a browser does not let a page choose one again. A field's first fault is the one shown.
    """
    kept: dict[str, str | Sequence[str]] = {
        name: [value for value in sent.getlist(name) if isinstance(value, str)] if name in several else value
        for name, value in sent.items()
        if isinstance(value, str)
    }
    faults: dict[str, str] = {}
    for fault in refused.faults:
        # a fault in the third title is shown at the titles
        faults.setdefault(fault.field.split(".")[0], sentence(lang, fault))
    # in the order of the form; what is about the whole comes first, what was not even sent (a box not ticked) last
    order = {"": -1, **{name: place for place, name in enumerate(sent)}}
    return Form(kept, dict(sorted(faults.items(), key=lambda item: order.get(item[0], len(order)))))
