"""The house rules that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "training", "serving")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def sources() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def test_no_file_is_a_drawer_for_everything() -> None:
    assert [f for f in sources() if f.stem in FORBIDDEN_NAMES or f.parent.name in FORBIDDEN_NAMES] == []


def test_files_stay_short() -> None:
    lengths = sorted((len(f.read_text(encoding="utf-8").splitlines()), f.relative_to(ROOT)) for f in sources())
    assert [entry for entry in lengths if entry[0] > 500] == []
    filled = [length for length, _ in lengths if length > 5]
    assert filled[len(filled) // 2] <= 200


def test_imports_stand_at_the_top_but_in_the_command_line() -> None:
    hidden = []
    for file in sources():
        if file.relative_to(ROOT).parts[:2] == ("serving", "cli"):
            continue
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
                hidden += [f"{file.relative_to(ROOT)}:{node.lineno}" for node in inner]
    assert hidden == []


def test_every_test_folder_is_a_package() -> None:
    folders = {f.parent for f in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("file", tracked(), ids=lambda f: str(f.relative_to(ROOT)))
def test_nothing_names_a_registry_or_a_home_directory(file: Path) -> None:
    text = file.read_bytes().decode("utf-8", errors="replace")
    pattern = r"files\.pythonhosted|pypi\.org/simple|--index-url|--extra-index-url|/(?:root|home/\w+)/"
    found = re.findall(pattern, text) if file != Path(__file__) else []
    assert found == []
