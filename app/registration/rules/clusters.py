"""Registrations that may be one person's, gathered: everybody who is like somebody in it stands in one cluster."""

from collections.abc import Iterable, Mapping

from app.registration.rules.likeness import Sketch, boxes, reasons


def clusters(people: Iterable[Sketch], distinct: Iterable[tuple[int, int]] = ()) -> list[tuple[int, ...]]:
    """The ids of each cluster of two or more, the earliest first; a pair said to be `distinct` does not tie one.

    Those with most in common come first, then by id. The work grows with the number of people, not with its square:
    who shares a name need not be compared, and a telephone is compared only while few have it.
    """
    apart: dict[int, set[int]] = {}
    for one, other in distinct:
        apart.setdefault(one, set()).add(other)
        apart.setdefault(other, set()).add(one)
    first_of: dict[int, int] = {}
    weight: dict[int, set[int]] = {}
    for kind, box in boxes(people):
        by_id = {person.id: person for person in box}
        for tied in _tied(by_id, apart, compared=kind == "phone"):
            root = min(_root(first_of, member) for member in tied)
            for member in tied:
                first_of[_root(first_of, member)] = root
            weight.setdefault(root, set()).add(_WEIGHT[kind])
    found: dict[int, list[int]] = {}
    in_common: dict[int, set[int]] = {}
    for member in first_of:
        found.setdefault(_root(first_of, member), []).append(member)
    for member, kinds in weight.items():
        in_common.setdefault(_root(first_of, member), set()).update(kinds)
    order = sorted(found, key=lambda root: (min(in_common[root]), -len(in_common[root]), root))
    return [tuple(sorted(found[root])) for root in order]


_WEIGHT = {"latin": 0, "khmer": 1, "khmer words": 2, "phone": 3}


def _tied(box: Mapping[int, Sketch], apart: Mapping[int, set[int]], *, compared: bool) -> Iterable[list[int]]:
    """Those of one box who hang together without the pairs said to be apart."""
    left = set(box)
    while left:
        group, reached = [], [left.pop()]
        while reached:
            one = reached.pop()
            group.append(one)
            near = left - apart.get(one, set())
            if compared:
                near = {other for other in near if reasons(box[one], box[other])}
            left -= near
            reached += near
        if len(group) > 1:
            yield group


def _root(first_of: dict[int, int], member: int) -> int:
    """The earliest of the cluster a member is in so far; the way there is made shorter."""
    root = member
    while first_of.setdefault(root, root) != root:
        root = first_of[root]
    while first_of[member] != root:
        first_of[member], member = root, first_of[member]
    return root
