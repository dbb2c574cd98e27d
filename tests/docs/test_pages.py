"""What the documentation tells people to type, open or set exists."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from serving.cli.program import program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fenced(page: Path) -> str:
    """The blocks of a page that people copy from."""
    return "\n".join(re.findall(r"```(?:console|bash|sh)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_make_target_exists(page: Path) -> None:
    text = fenced(page)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$? ?make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for words in re.findall(r"\bmallard ([a-z]+(?: [a-z]+)?)", text):
        assert resolves(words.split()), f"mallard {words}"


def resolves(words: list[str]) -> bool:
    """Whether the words name a command; a second word may as well be its argument."""
    command = program.get_command(click.Context(program), words[0])
    if isinstance(command, click.Group) and len(words) > 1:
        return command.get_command(click.Context(command), words[1]) is not None
    return command is not None


def test_the_readme_starts_with_the_two_commands() -> None:
    first = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30])
    assert "make demo" in first
    assert "make test" in first


def test_every_environment_variable_in_the_code_is_documented() -> None:
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for part in ("features", "training", "serving")
        for file in (ROOT / part).rglob("*.py")
    )
    written = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    used = set(re.findall(r"\"(MALLARD_[A-Z_]+)\"", code))
    assert used
    assert {name for name in used if name not in written} == set()


def test_the_command_line_says_its_version() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "serving.cli", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "0.1.0" in said.stdout
