"""Reading a forum file: YAML to inputs, every fault with its line."""

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.editions.form import ForumFile, faults_in
from app.kit.errors import Fault, Invalid
from app.kit.inputs import parse

MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A fault and the line it stands in (1 is the first); 0 where the file as a whole is meant."""

    line: int
    fault: Fault


class BadFile(Exception):
    """The file is refused whole; `faults` in the order of their lines."""

    def __init__(self, faults: list[Misplaced]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = sorted(faults, key=lambda misplaced: misplaced.line)


def read_forum_file(text: bytes) -> ForumFile:
    """The forum in this file. Raises BadFile with every fault found: nothing of a bad file is taken."""
    if len(text) > MOST_BYTES:
        raise BadFile([Misplaced(0, Fault("", "file_too_large", {"most": MOST_BYTES >> 20}))])
    tree = _compose(text)
    twice = _keys_twice(tree, "")
    if twice:
        raise BadFile(twice)
    values = _construct(tree)
    if not isinstance(values, dict):
        raise BadFile([Misplaced(1, Fault("", "not_a_table"))])
    try:
        file = parse(ForumFile, values)
    except Invalid as invalid:
        raise BadFile([Misplaced(_line(tree, fault.field), fault) for fault in invalid.faults]) from None
    if faults := faults_in(file):
        raise BadFile([Misplaced(_line(tree, fault.field), fault) for fault in faults])
    return file


_Quick: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser that is C where the library has it: it reads a forum in a tenth of the time."""
_DEEPEST = 50


class _Loader(yaml.SafeLoader):
    """Makes values of what was read."""


def _as_typed(construct: Any) -> Any:
    """A date or number that is none stays the text it was, so that its fault is told with its place; where a tag says
    that it were one (`!!float x`), that is the fault."""

    def constructed(loader: _Loader, node: Any) -> Any:
        try:
            return construct(loader, node)
        except (ValueError, LookupError, AttributeError, ArithmeticError):
            # the library reads whatever is tagged as if it had the form that it looks for in what is not
            plain = loader.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
            if plain == node.tag:
                return node.value
            problem = f"{node.value!r:.60} is not of the kind that its tag says"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None

    return constructed


for kind in ("timestamp", "int", "float", "bool"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{kind}", _as_typed(getattr(yaml.SafeLoader, f"construct_yaml_{kind}")))


def _construct(tree: Node) -> Any:
    try:
        return _Loader("").construct_document(tree)
    except yaml.MarkedYAMLError as error:
        raise BadFile([_marked(error)]) from None


def _marked(error: yaml.MarkedYAMLError) -> Misplaced:
    mark = error.problem_mark or error.context_mark
    return Misplaced(mark.line + 1 if mark else 0, Fault("", "not_yaml", {"problem": error.problem or ""}))


def _compose(text: bytes) -> Node:
    try:
        written = text.decode("utf-8-sig")
        _held_against_bombs(written)
        tree = yaml.compose(written, Loader=_Quick)
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise BadFile([Misplaced(line, Fault("", "not_utf8"))]) from None
    except yaml.MarkedYAMLError as error:
        raise BadFile([_marked(error)]) from None
    except yaml.YAMLError as error:
        raise BadFile([Misplaced(0, Fault("", "not_yaml", {"problem": str(error).splitlines()[0][:200]}))]) from None
    if tree is None:
        raise BadFile([Misplaced(0, Fault("", "empty_file"))])
    return tree


def _held_against_bombs(written: str) -> None:
    """Raises BadFile for anchors, which a file a secretariat writes does not need and a few lines of which can fill
    memory, and for nesting deeper than any forum, before a tree is made of either."""
    depth = 0
    for event in yaml.parse(written, Loader=_Quick):
        if isinstance(event, yaml.events.AliasEvent):
            raise BadFile([Misplaced(_at(event), Fault("", "no_anchors"))])
        depth += isinstance(event, yaml.events.CollectionStartEvent)
        depth -= isinstance(event, yaml.events.CollectionEndEvent)
        if depth > _DEEPEST:
            raise BadFile([Misplaced(_at(event), Fault("", "not_yaml", {"problem": "nested too deep"}))])


def _at(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _keys_twice(node: Node, path: str) -> list[Misplaced]:
    found: list[Misplaced] = []
    if isinstance(node, MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else "?"
            where = f"{path}.{name}".lstrip(".")
            if name in seen:
                found.append(Misplaced(key.start_mark.line + 1, Fault(where, "twice", {"value": name})))
            seen.add(name)
            found += _keys_twice(value, where)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            found += _keys_twice(value, f"{path}.{number}")
    return found


def _line(tree: Node, path: str) -> int:
    """The line of the part that a dotted path names, or of the nearest part around it."""
    node = tree
    for step in path.split(".") if path else []:
        below = None
        if isinstance(node, MappingNode):
            below = next((value for key, value in node.value if getattr(key, "value", None) == step), None)
        elif isinstance(node, SequenceNode) and step.isdigit() and int(step) < len(node.value):
            below = node.value[int(step)]
        if below is None:
            break
        node = below
    return int(node.start_mark.line) + 1
