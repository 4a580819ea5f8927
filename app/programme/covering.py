"""The report on coverage as codes: what of a forum's subjects the working copy covers, and whose voices it hears."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.forum.models import Forum
from app.forum.queries import ForumPage, forum_id, forum_page
from app.kit.db import Db
from app.kit.i18n import Bilingual
from app.programme.describing import Described, described, held
from app.programme.queries import working_copy
from app.programme.rules import coverage as rule
from app.programme.tabling import FACETS

NO_FACET = "none"
"""What stands for sessions that are of no facet."""
Covered = Mapping[str, Sequence[str]]
"""Key of a subject → the codes of the sessions that cover it; a subject that none covers is there with nothing."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The whole report. Parts are by (role, group) and by (role, country), "" for a country that is not known;
    `titles` are those of the sessions by code."""

    page: ForumPage
    objectives: Covered
    tracks: Covered
    themes: Covered
    facets: Covered
    alike: Covered
    groups: Mapping[tuple[str, str], Sequence[rule.Part]]
    countries: Mapping[tuple[str, str], Sequence[rule.Part]]
    speakers: tuple[Described, ...]
    titles: Mapping[str, Bilingual]


def coverage_of(db: Db, forum: Forum) -> Coverage:
    """The report on the working copy, closed sessions too: for those at the desk. As many queries whatever it holds."""
    own = forum_id(forum)
    page, drafts, speakers = forum_page(db, forum.slug), working_copy(db, own), described(db, own)
    sessions, voices = held(drafts), {one.code: one.voice for one in speakers}
    by_group = rule.parts_by_group(sessions, voices)
    return Coverage(
        page=page,
        objectives=rule.serving(sessions, _texts(n for n, _ in page.objectives), lambda one: _texts(one.objectives)),
        tracks=rule.serving(sessions, (track.code for track in page.tracks), lambda one: one.tracks),
        themes=rule.serving(sessions, (slug for t in page.tracks for slug, _ in t.themes), lambda one: one.themes),
        facets=rule.serving(sessions, (*FACETS, NO_FACET), lambda one: [one.facet or NO_FACET]),
        alike={kind.value: codes for kind, codes in rule.alike(sessions, voices).items()},
        groups={(role, group.value): parts for (role, group), parts in by_group.items()},
        countries=rule.parts_by_country(sessions, voices),
        speakers=tuple(speakers),
        titles={session.code: session.title for session in drafts},
    )


def _texts(numbers: Iterable[int]) -> list[str]:
    return [str(number) for number in numbers]
