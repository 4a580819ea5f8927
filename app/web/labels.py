"""The labels of faulty fields before what is wrong with them, on top of a form.

The summary stands before the fields, whose labels are in their templates alone; so it is filled in when the page is
whole.
"""

import re

from app.kit.i18n import Lang, text_of

_MARK = re.compile(r"<!--label:([\w.-]+)-->([^<]*)")
_OPTIONAL = re.compile(r'<span class="optional">.*?</span>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ENDS = (".", "?", "!", "។")


def with_labels(lang: Lang, html: str) -> str:
    """The page with each marked place of `parts/_errors.html` filled with the label of its field, as the page has it.

    A sentence that names its field already stays alone, and so does one of a field that the page does not have.
    """

    def named(mark: re.Match[str]) -> str:
        label, sentence = _label(html, mark[1]), mark[2]
        if not label or label in sentence:
            return sentence
        # what is a sentence itself (a question, something to agree to) is followed by the next
        joined = f"{label} " if label.endswith(_ENDS) else text_of(lang, "web.form.labelled", label=label)
        return f"{joined}{sentence}"

    return _MARK.sub(named, html)


def _label(html: str, name: str) -> str:
    """The text of a field's label or of the legend of a group of boxes, still escaped; "" where there is none."""
    field = re.escape(name)
    found = re.search(rf'<label for="{field}"[^>]*>(.*?)</label>', html, re.DOTALL) or re.search(
        rf'<fieldset[^>]*\sid="{field}"[^>]*>\s*<legend[^>]*>(.*?)</legend>', html, re.DOTALL
    )
    return " ".join(_TAG.sub("", _OPTIONAL.sub("", found[1])).split()) if found else ""
