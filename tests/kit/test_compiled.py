"""Templates are compiled once for all languages and, in a folder, for all processes."""

import marshal
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader

from app.kit import templates
from app.kit.compiled import Compiled
from app.kit.templates import TEMPLATES, environment
from tests.breadth import some


class Counting(Environment):
    """An environment that counts what it compiles."""

    def __init__(self, compiled: Compiled, **templates: str) -> None:
        super().__init__(loader=DictLoader(templates), bytecode_cache=compiled)
        self.count = 0

    def _generate(self, *args: object, **more: object) -> str:
        self.count += 1
        made: str = super()._generate(*args, **more)  # type: ignore[arg-type]
        return made


def in_folder(folder: Path, options: str = "") -> Compiled:
    compiled = Compiled(options)
    compiled.folder = folder
    return compiled


def test_a_second_environment_of_the_process_compiles_nothing() -> None:
    compiled = Compiled("")
    first, second = (Counting(compiled, page="{{ 1 + n }}") for _ in range(2))
    assert (first.get_template("page").render(n=1), second.get_template("page").render(n=2)) == ("2", "3")
    assert (first.count, second.count) == (1, 0)


def test_a_later_process_compiles_nothing_that_has_not_changed(tmp_path: Path) -> None:
    Counting(in_folder(tmp_path), page="as it was", other="{{ n }}").get_template("page")
    later = Counting(in_folder(tmp_path), page="as it was", other="{{ n }}")
    assert later.get_template("page").render() == "as it was"
    assert later.count == 0
    changed = Counting(in_folder(tmp_path), page="as it is")
    assert changed.get_template("page").render() == "as it is"
    assert changed.count == 1
    assert len([*tmp_path.iterdir()]) == 1, "the new one in place of the old"


def test_what_was_compiled_with_other_options_is_not_taken(tmp_path: Path) -> None:
    Counting(in_folder(tmp_path, "one"), page="x").get_template("page")
    other = Counting(in_folder(tmp_path, "another"), page="x")
    other.get_template("page")
    assert other.count == 1


@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 100])
def test_a_file_that_is_cut_off_is_made_anew(tmp_path: Path, cut: int) -> None:
    Counting(in_folder(tmp_path), page="whole").get_template("page")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:cut])
    again = Counting(in_folder(tmp_path), page="whole")
    assert again.get_template("page").render() == "whole"
    assert again.count == 1
    assert len(file.read_bytes()) > 100


def test_another_thing_in_a_files_place_is_made_anew(tmp_path: Path) -> None:
    Counting(in_folder(tmp_path), page="whole").get_template("page")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:64] + marshal.dumps("no code"))
    assert Counting(in_folder(tmp_path), page="whole").get_template("page").render() == "whole"


def test_a_folder_that_cannot_be_written_to_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("no folder")
    for _ in range(2):
        env = Counting(in_folder(tmp_path / "a file"), page="x")
        assert env.get_template("page").render() == "x"
        assert env.count == 1


def test_all_of_them_are_there_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_COMPILED", kept := in_folder(tmp_path))
    monkeypatch.setattr(templates, "TEMPLATES", TEMPLATES / "layout")
    environment.cache_clear()
    try:
        templates.compile_all(tmp_path)
    finally:
        environment.cache_clear()
    assert kept.folder == tmp_path
    assert len([*tmp_path.iterdir()]) == len([*(TEMPLATES / "layout").iterdir()]) > 3


def test_what_a_language_makes_of_a_constant_is_made_while_rendering() -> None:
    for name, source in {"digits": "{{ 300|digits }}", "typed": "{{ 'ភ្នំពេញ'|typed }}"}.items():
        english, khmer = (environment(lang).from_string(source) for lang in ("en", "km"))
        assert english.render() != khmer.render(), name
    code = environment("en").compile("{{ 300|digits }}{{ 'ភ្នំពេញ'|typed }}", raw=True)
    assert "300" in code
    assert "<span" not in code


def test_a_template_compiles_to_the_same_in_both_languages() -> None:
    for path in some(sorted(TEMPLATES.rglob("*.*")), 0, each=9):
        name = path.relative_to(TEMPLATES).as_posix()
        source = path.read_text(encoding="utf-8")
        english, khmer = (environment(lang).compile(source, name, raw=True) for lang in ("en", "km"))
        assert english == khmer, name


def test_a_copy_of_the_house_elsewhere_has_files_of_its_own(tmp_path: Path) -> None:
    """The path of a template stands in what a fault says of it."""
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "page").write_text("x")
        env = Counting(in_folder(tmp_path / "kept"))
        env.loader = FileSystemLoader(tmp_path / place)
        assert env.get_template("page").render() == "x"
    assert len([*(tmp_path / "kept").iterdir()]) == 2
