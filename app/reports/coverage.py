"""The report on coverage: what the working copy covers, whose voices it hears, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from app.forum.models import Forum
from app.kit.db import Db
from app.kit.i18n import Bilingual, Lang, text_of
from app.kit.i18n import number as numbered
from app.programme.covering import NO_FACET, Coverage, coverage_of
from app.programme.describing import Described
from app.programme.inputs import AppearanceRole, Facet
from app.programme.rules import coverage as rule
from app.reports.countries import country_name

ROLES: tuple[str, ...] = get_args(AppearanceRole)
FACETS: tuple[str, ...] = get_args(Facet)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many, and the codes of the sessions behind it; `key` leads to them. `calls` where none is too few."""

    key: str
    label: str
    n: int
    codes: tuple[str, ...]
    calls: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One thing with its figures, as many as its section has columns."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report in the reader's language; `titles` are those of the sessions by code."""

    sections: tuple[Section, ...]
    speakers: tuple[Described, ...]
    titles: Mapping[str, Bilingual]

    @property
    def figures(self) -> dict[str, Figure]:
        """Every figure by its key."""
        return {one.key: one for section in self.sections for row in section.rows for one in row.figures}

    @property
    def missing(self) -> list[tuple[str, list[str]]]:
        """Each section in which something has no session, with what."""
        empty = [
            (s.name, [row.label for row in s.rows if any(one.calls for one in row.figures)]) for s in self.sections
        ]
        return [(name, labels) for name, labels in empty if labels]


def read_report(db: Db, forum: Forum, lang: Lang) -> Report:
    """The report on the working copy in the reader's language. As many queries whatever it holds."""
    found = coverage_of(db, forum)
    named = _Named(lang, found)
    return Report((*named.subjects(), named.alike(), *named.parts()), found.speakers, found.titles)


@dataclass(frozen=True, slots=True)
class _Named:
    """Puts the report into the reader's words."""

    lang: Lang
    found: Coverage

    def subjects(self) -> Iterable[Section]:
        """What is to be covered, each with the sessions that do."""
        lang, found, page = self.lang, self.found, self.found.page
        aims = {str(number): f"{numbered(number, lang)} · {text.of(lang)}" for number, text in page.objectives}
        topics = {track.code: f"{track.code} · {track.short_title.of(lang)}" for track in page.tracks}
        themes = {slug: title.of(lang) for track in page.tracks for slug, title in track.themes}
        facets = {facet: text_of(lang, f"programme.facets.{facet}") for facet in FACETS}
        facets[NO_FACET] = text_of(lang, "coverage.no_facet")
        yield self._of("objectives", aims, found.objectives)
        yield self._of("tracks", topics, found.tracks)
        yield self._of("themes", themes, found.themes)
        yield self._of("facets", facets, found.facets, calls=False)

    def alike(self) -> Section:
        """How the people of sessions are alike."""
        labels = {kind.value: text_of(self.lang, f"coverage.alike.{kind.value}") for kind in rule.OneKind}
        return self._of("alike", labels, self.found.alike, calls=False)

    def parts(self) -> Iterable[Section]:
        """Who has which part, by group and by country."""
        groups = {group.value: text_of(self.lang, f"coverage.group.{group.value}") for group in rule.Group}
        yield self._by_role("groups", groups, self.found.groups)
        by_country = self.found.countries
        counts: dict[str, int] = {}
        for (_, country), parts in by_country.items():
            counts[country] = counts.get(country, 0) + len(parts)
        unknown = text_of(self.lang, "coverage.group.unknown")
        names = {
            code: country_name(code, self.lang) or unknown
            for code in sorted(counts, key=lambda c: (not c, -counts[c], c))
        }
        yield self._by_role("countries", names, by_country)

    def _of(
        self, name: str, labels: Mapping[str, str], found: Mapping[str, Sequence[str]], *, calls: bool = True
    ) -> Section:
        rows = []
        for key, label in labels.items():
            codes = tuple(found.get(key, ()))
            rows.append(Row(label, (Figure(f"{name}-{key}", label, len(codes), codes, calls and not codes),)))
        return Section(name, (text_of(self.lang, "coverage.sessions"),), tuple(rows))

    def _by_role(
        self, name: str, labels: Mapping[str, str], found: Mapping[tuple[str, str], Sequence[rule.Part]]
    ) -> Section:
        words = {role: text_of(self.lang, f"editor.role.{role}") for role in ROLES}
        rows = []
        for key, label in labels.items():
            figures = []
            for role, said in words.items():
                parts = found.get((role, key), ())
                codes = tuple(dict.fromkeys(code for code, _ in parts))
                figures.append(Figure(f"{name}-{key or 'unknown'}-{role}", f"{label}, {said}", len(parts), codes))
            rows.append(Row(label, tuple(figures)))
        return Section(name, tuple(words.values()), tuple(rows))
