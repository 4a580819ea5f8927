"""The promises of the house, proved: floors, names, languages, docs, migrations.

That every route has a test is proved by the permission matrix, which has a row for each of them.
"""

import ast
import re
import tomllib
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel

from app.accounts.rules import Permission
from app.kit.db import Database, table
from app.kit.i18n import LANGS, catalogue
from app.kit.migrating import MIGRATIONS, differences, downgrade, migrate
from app.kit.settings import SETTINGS
from app.kit.templates import TEMPLATES, environment
from app.registration.rules.wording import BADGES
from app.web.assets import STATIC
from tests import cluster
from tests.conftest import ROOT, opened
from tests.kit.test_migrating import revisions

APP = ROOT / "app"
ROOMS = sorted(path.name for path in APP.iterdir() if (path / "__init__.py").exists())
PLAN = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
FLOORS = {room: floor for floor, rooms in enumerate(PLAN) for room in re.findall(r"\w+", rooms)}
"""Room → its floor, the highest first, from the import contract."""

# mail and audit rows carry the forum's code as text, so that those rooms know no forum
CODES_AS_TEXT = {"audit_fact": "scope", "mail_message": "forum"}


for room in ROOMS:
    if (APP / room / "models.py").exists():
        import_module(f"app.{room}.models")
MODELS = {
    mapper.class_: mapper.class_.__module__.split(".")[1]
    for mapper in sorted(
        SQLModel._sa_registry.mappers, key=lambda mapper: mapper.class_.__module__ + mapper.class_.__name__
    )
    if mapper.class_.__module__.startswith("app.")
}
"""Table class → the room that owns it."""


def python_files() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((APP / room).rglob("*.py")):
            yield room, path


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# ---- rooms and floors


def test_every_room_stands_on_a_floor():
    assert set(ROOMS) <= FLOORS.keys()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_door_plate(room: str):
    plate = ast.get_docstring(tree_of(APP / room / "__init__.py"))
    assert plate, f"app/{room}/__init__.py must say in one to three lines what the room is for, and its words"


def test_every_module_opens_with_what_it_is_for():
    assert not [str(path) for _, path in python_files() if not ast.get_docstring(tree_of(path))]


def test_foreign_keys_point_down_the_floors():
    owner = {table(model).name: room for model, room in MODELS.items()}
    upward = [
        f"{name}.{key.parent.name} → {key.column.table.name}"
        for name, room in owner.items()
        for key in SQLModel.metadata.tables[name].foreign_keys
        if owner[key.column.table.name] != room and FLOORS[owner[key.column.table.name]] <= FLOORS[room]
    ]
    assert not upward


def test_the_check_of_floors_can_fail():
    assert FLOORS["registration"] < FLOORS["forum"] < FLOORS["kit"], "higher floors have lower numbers"


@pytest.mark.parametrize(("model", "room"), MODELS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_tables_carry_their_rooms_name(model: type[SQLModel], room: str):
    assert table(model).name.startswith(f"{room}_")


@pytest.mark.parametrize(("name", "column"), CODES_AS_TEXT.items())
def test_only_mail_and_audit_name_a_forum_by_its_code(name: str, column: str):
    assert column in SQLModel.metadata.tables[name].c
    assert not SQLModel.metadata.tables[name].foreign_keys


def foreign_rows(room: str, tree: ast.Module) -> list[str]:
    """Rows of other rooms that a module makes or writes: `Forum(…)`, `insert(_forums)`, `_forums.update()`."""
    owned = {model.__name__: owner for model, owner in MODELS.items()}
    tables = {  # names bound to `table(Model)`, alone or in a tuple
        name.id: model for node in ast.walk(tree) if isinstance(node, ast.Assign) for name, model in _table_names(node)
    }

    def model_of(node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return tables.get(node.id, node.id if node.id in owned else None)
        return _in_table_call(node)

    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        written: str | None = None
        if isinstance(function, ast.Name) and function.id in owned:
            written = function.id
        elif isinstance(function, ast.Name) and function.id in {"insert", "update", "delete"} and node.args:
            written = model_of(node.args[0])
        elif isinstance(function, ast.Attribute) and function.attr in {"insert", "update", "delete"}:
            written = model_of(function.value)
        if written in owned and owned[written] != room:
            found.append(f"line {node.lineno}: {written} belongs to {owned[written]}")
    return found


def _table_names(node: ast.Assign) -> list[tuple[ast.Name, str]]:
    target, value = node.targets[0], node.value
    pairs = (
        zip(target.elts, value.elts, strict=False)
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        else [(target, value)]
    )
    return [(name, model) for name, called in pairs if isinstance(name, ast.Name) and (model := _in_table_call(called))]


def _in_table_call(node: ast.expr) -> str | None:
    is_table = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "table"
    if is_table and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
        return node.args[0].id
    return None


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_writes_only_its_own_rows(room: str):
    offences = []
    for path in sorted((APP / room).rglob("*.py")):
        tree = tree_of(path)
        imported = {  # a value class may bear a table's name: only what comes from a room's tables is meant
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models")
            for name in node.names
        }
        found = foreign_rows(room, tree)
        offences += [f"{path.name} {one}" for one in found if one.split(": ")[1].split()[0] in imported]
    assert not offences


PAST_SQLALCHEMY = re.compile(
    r"\b(bare_connection|driver_connection|raw_connection|cursor)\b(?=\(|\.)|\.connection\.connection"
)


def test_nobody_but_the_kit_reaches_the_database_past_what_waits():
    """Every statement through `Db` has what waits written before it; what goes to the driver by itself has not."""
    paths = [path for path in APP.rglob("*.py") if path.parent != APP / "kit"]
    assert not [path for path in paths if PAST_SQLALCHEMY.search(path.read_text(encoding="utf-8"))]
    assert PAST_SQLALCHEMY.search("db.bare_connection().execute(text)")


def test_a_foreign_row_would_be_caught():
    planted = "_forums = table(Forum)\nForum(slug='x')\ninsert(_forums)\n_forums.update()\nupdate(table(Forum))"
    assert len(foreign_rows("registration", ast.parse(planted))) == 4
    assert not foreign_rows("forum", ast.parse(planted))


# ---- templates, static files, routes


def test_every_template_is_used():
    texts = [path.read_text(encoding="utf-8") for path in [*APP.rglob("*.py"), *TEMPLATES.rglob("*.*")]]
    named = {name for text in texts for name in re.findall(r"[\"']([\w/.-]+\.(?:html|txt|svg|xml|typ))[\"']", text)}
    named |= {f"print/{name}" for name in named if name.startswith("_")}  # what Typst imports from beside it
    there = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*")}
    assert not there - named, "templates that nothing renders, includes or extends"


def test_every_template_can_be_read():
    for lang in LANGS:
        for path in TEMPLATES.rglob("*.*"):
            environment(lang).get_template(path.relative_to(TEMPLATES).as_posix())


def test_no_template_holds_an_inline_script_or_style():
    offences = [
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.html")
        if re.search(
            r"<script(?![^>]*(\ssrc=|type=.application/ld\+json.))|<style|\sstyle=|\son\w+=|javascript:",
            path.read_text(encoding="utf-8"),
        )
        and "mail" not in path.parts
    ]
    assert not offences, "the content security policy forbids them"


def test_every_static_file_is_used():
    texts = [path.read_text(encoding="utf-8") for path in [*APP.rglob("*.py"), *TEMPLATES.rglob("*.*")]]
    texts += [path.read_text(encoding="utf-8") for path in STATIC.rglob("*.css")]
    there = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    unused = {name for name in there if not any(name in text for text in texts)}
    assert not unused


# ---- settings, commands and permissions stand in the docs


def documents() -> str:
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())


@pytest.mark.parametrize("name", [name for name, _, _ in SETTINGS])
def test_every_setting_stands_in_the_docs(name: str):
    assert f"`{name}`" in documents(), f"describe {name} in the table of settings of README.md"


def test_every_command_stands_in_the_docs():
    from app.cli.commands import app

    names = [command.name for command in app.registered_commands]
    missing = [name for name in names if f"sala {name}" not in documents()]
    assert not missing, f"describe these commands in README.md: {missing}"


def test_every_permission_stands_in_the_docs():
    missing = [permission.value for permission in Permission if f"`{permission.value}`" not in documents()]
    assert not missing, f"list these permissions with their roles in docs/: {missing}"


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert not [room for room in ROOMS if f"`{room}" not in page]


# ---- languages


def test_both_catalogues_have_the_same_texts():
    assert catalogue("en").keys() == catalogue("km").keys()


def placeholders(text: Any) -> set[str]:
    texts = [text] if isinstance(text, str) else text.values()
    return {name for one in texts for _, name, _, _ in Formatter().parse(one) if name}


def test_a_text_has_the_same_values_in_both_languages():
    english, khmer = catalogue("en"), catalogue("km")
    # a plural's "one" may leave the number out
    different = [
        key
        for key in english.keys() & khmer.keys()
        if placeholders(english[key]) - {"n"} != placeholders(khmer[key]) - {"n"}
    ]
    assert not different


@pytest.mark.parametrize("lang", LANGS)
def test_no_text_is_empty(lang: Any):
    assert not [
        key for key, text in catalogue(lang).items() if not all([text] if isinstance(text, str) else text.values())
    ]


def named_texts() -> tuple[set[str], set[str]]:
    """Keys written out in templates and code, and the beginnings of keys that are put together there."""
    whole, begun = set(), set()
    for path in [*APP.rglob("*.py"), *TEMPLATES.rglob("*.*")]:
        text = path.read_text(encoding="utf-8")
        whole |= set(re.findall(r"[\"']([a-z_]+(?:\.[\w-]+)+)[\"']", text))
        begun |= set(re.findall(r"[\"']([a-z_]+\.(?:[\w-]+\.)*[\w-]*)[\"']\s*(?:~|\+)", text))
        begun |= set(re.findall(r"f[\"']([a-z_]+\.[\w.-]*)\{", text))
    return whole, begun


def test_every_text_named_in_a_template_exists():
    named = {
        key
        for path in TEMPLATES.rglob("*.*")
        for key in re.findall(r"\bt\(\s*[\"']([\w.-]+)[\"']\s*[,)]", path.read_text(encoding="utf-8"))
    }
    assert named
    assert not named - catalogue("en").keys()


def test_every_text_is_named_somewhere():
    whole, begun = named_texts()
    beginnings = tuple(beginning for beginning in begun if beginning.count(".") >= 1 and not beginning.endswith(".."))
    unused = [
        key
        for key in catalogue("en")
        # a refusal's and a mail's key is made from its code
        # and one of a second wording from that of the usual text
        if key not in whole and not key.startswith((*beginnings, "refused.", "errors.", "mail.", f"{BADGES}."))
    ]
    assert not unused


def second_wordings(lang: Any) -> dict[str, Any]:
    """The texts of the second wording by the key of the usual text."""
    return {key.removeprefix(f"{BADGES}."): text for key, text in catalogue(lang).items() if key.startswith(BADGES)}


@pytest.mark.parametrize("lang", LANGS)
def test_a_second_wording_says_of_the_same_values_something_else(lang: Any):
    usual = catalogue(lang)
    assert second_wordings(lang)
    for key, text in second_wordings(lang).items():
        assert text != usual[key], key
        assert placeholders(text) == placeholders(usual[key]), key


def refusal_codes() -> set[str]:
    """Every code that a deed or door refuses with, as far as it is written out."""
    from app.kit.inputs import _CODES

    found = set(_CODES.values()) | {"not_a_number", "not_a_date", "not_yes_or_no"}
    for _, path in python_files():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = {"Refused": 0, "Conflict": 0, "Expired": 0, "TooMany": 0, "Busy": 0, "Forbidden": 0}.get(
                node.func.id, 1 if node.func.id == "Fault" and "registration" not in path.parts else None
            )
            place = 0 if node.func.id == "PydanticCustomError" else place
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                found.add(node.args[place].value)
    return found


def test_every_refusal_has_a_sentence():
    assert not {code for code in refusal_codes() if f"refused.{code}" not in catalogue("en")}


# ---- migrations


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
    else:
        with cluster.copy_of(
            request.getfixturevalue("postgres_base"), f"empty_{uuid.uuid4().hex[:12]}", "template0"
        ) as url:
            yield url


on_both = pytest.mark.parametrize(
    "empty_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@on_both
def test_migrations_build_exactly_the_models_schema(empty_url: str):
    with opened(empty_url) as database:
        migrate(database)
        assert differences(database) == []


@on_both
def test_the_first_migration_goes_down_to_nothing_and_up_again(empty_url: str):
    """Of the others tests/kit/test_migrating.py tells, with rows in every table."""
    with opened(empty_url) as database:
        migrate(database, revisions()[0])
        first = tables(database)
        assert len(first) > 3
        downgrade(database, "base")
        assert tables(database) <= {"alembic_version"}
        migrate(database, revisions()[0])
        assert tables(database) == first


def tables(database: Database) -> set[str]:
    return set(inspect(database.write_engine).get_table_names())


def test_migrations_have_dated_names_and_one_line_of_descent():
    paths = sorted((MIGRATIONS / "versions").glob("*.py"))
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}_\d{4}_\w+\.py", path.name) for path in paths)
    parents = [re.search(r"^down_revision.*= (.+)$", path.read_text(), re.MULTILINE) for path in paths]
    assert len({parent[1] for parent in parents if parent}) == len(paths)
