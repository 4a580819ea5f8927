"""The report on coverage at the desk: what the working copy covers, whose voices it hears, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from app.accounts.rules import Permission
from app.forum.models import Forum
from app.kit import clock
from app.kit.db import Db
from app.kit.errors import Answer, Conflict, Expired, Fault, Invalid, NotFound, Refused
from app.kit.i18n import Bilingual, Lang, text_of
from app.kit.i18n import number as numbered
from app.kit.inputs import parse
from app.programme.covering import NO_FACET, Coverage, coverage_of
from app.programme.describing import Described, describe, mark_of
from app.programme.inputs import AppearanceRole, SpeakerKind, VoiceInput
from app.programme.rules import coverage as rule
from app.programme.tabling import FACETS
from app.reports.tables import as_csv
from app.web import deps
from app.web.countries import country_name
from app.web.deps import Desk
from app.web.desk_programme import must_edit
from app.web.forms import Form, read_form, refilled
from app.web.headers import SECRET

router = APIRouter(include_in_schema=False)
KINDS: tuple[str, ...] = get_args(SpeakerKind)
ROLES: tuple[str, ...] = get_args(AppearanceRole)
MOST_FIELDS = 1000


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


@router.get("/desk/{forum}/programme/coverage")
async def coverage(request: Request, forum: str) -> Response:
    """The report; with `?show=` the sessions behind one of its figures."""
    return await _page(request, forum)


@router.get("/desk/{forum}/programme/coverage.csv")
async def as_table(request: Request, forum: str) -> Response:
    """Every figure of the report with the codes behind it, closed sessions' too, as CSV: for those who edit."""

    def read(db: Db, desk: Desk) -> Report:
        must_edit(db, desk)
        return read_report(db, desk)

    desk, report = await deps.read_at_desk(request, forum, read)
    said = {name: text_of(desk.lang, f"coverage.{name}") for name in ("part", "what", "counted", "figure", "codes")}
    rows = [
        [text_of(desk.lang, f"coverage.section.{section.name}"), row.label, column, str(one.n), "; ".join(one.codes)]
        for section in report.sections
        for row in section.rows
        for column, one in zip(section.columns, row.figures, strict=True)
    ]
    headers = {"content-disposition": 'attachment; filename="coverage.csv"', "cache-control": SECRET}
    return Response(as_csv(list(said.values()), rows), headers=headers, media_type="text/csv; charset=utf-8")


@router.post("/desk/{forum}/programme/coverage")
async def say(request: Request, forum: str) -> Response:
    """Say whose voices the speakers are."""
    sent, now = await read_form(request, fields=MOST_FIELDS), clock.now()
    desk, _ = await deps.read_at_desk(request, forum, must_edit)
    try:
        kinds, mark = _kinds(sent), str(sent.get("mark", ""))

        def deed(db: Db, found: Forum) -> int:
            return describe(db, desk.actor, found, kinds, mark=mark, now=now)

        await deps.write_at_desk(request, desk, sent, deed)
    except (Refused, Expired) as refused:
        return await _page(request, forum, sent, refused)
    return deps.back(f"{desk.base}/programme/coverage?done=saved#voices")


def _kinds(sent: FormData) -> dict[str, str | None]:
    """What was chosen, by the speaker's code. Raises Invalid with a fault beside each that is no choice."""
    read: dict[str, str | None] = {}
    faults = []
    for name, value in sent.items():
        if name.startswith("kind-"):
            try:
                read[name.removeprefix("kind-")] = parse(VoiceInput, {"kind": value or None}).kind
            except Invalid:
                faults.append(Fault(name, "not_a_choice"))
    if faults:
        raise Invalid(faults)
    return read


def read_report(db: Db, desk: Desk) -> Report:
    """The report on the working copy. As many queries whatever it holds."""
    found = coverage_of(db, desk.forum)
    named = _Named(desk.lang, found)
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


async def _page(request: Request, forum: str, sent: FormData | None = None, refused: Answer | None = None) -> Response:
    desk, report = await deps.read_at_desk(request, forum, read_report)
    asked = request.query_params.get("show", "")
    shown = report.figures.get(asked)
    if asked and shown is None:
        raise NotFound("no_such_filter")
    form = refilled(desk.lang, sent, refused) if sent is not None and refused is not None else None
    if form is None:
        form = Form({f"kind-{one.code}": one.voice.kind or "" for one in report.speakers})
    values: dict[str, Any] = {
        "report": report,
        "shown": shown,
        "titles": report.titles,
        "form": form,
        "mark": mark_of(report.speakers),
        "kinds": [(kind, text_of(desk.lang, f"coverage.kind.{kind}")) for kind in KINDS],
        "stale": isinstance(refused, Conflict),
        "edits": desk.may(Permission.EDIT_PROGRAMME),
        "saved": request.query_params.get("done") == "saved" and refused is None,
    }
    status = refused.status if refused else 200
    return deps.show_at_desk(request, desk, "desk/coverage.html", status=status, **values)
