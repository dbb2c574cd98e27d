"""What ``pip install .`` gives: our three packages, the command, and no tests."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Built from a copy of what ships: setuptools would leave a build folder in the tree.
    target = tmp_path_factory.mktemp("wheel")
    copy = tmp_path_factory.mktemp("copy")
    for name in ("features", "training", "serving", "tests", "configs", "pyproject.toml", "README.md", "LICENSE"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(copy)], check=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(target),
        ".",
    ]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def test_the_wheel_holds_every_module_and_no_tests(wheel: Path) -> None:
    names = {n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".py")}
    ours = {str(f.relative_to(ROOT)) for p in ("features", "training", "serving") for f in (ROOT / p).rglob("*.py")}
    assert names == ours


def test_the_wheel_holds_the_templates(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folder = ROOT / "training" / "report" / "templates"
    assert {str(file.relative_to(ROOT)) for file in folder.iterdir()} <= names


def test_an_installed_copy_runs_away_from_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    code = "import serving; print(serving.__file__); import runpy; runpy.run_module('serving.cli', run_name='__main__')"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code, "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert str(site) in ran.stdout
    assert "0.1.0" in ran.stdout
