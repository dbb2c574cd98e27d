"""Every command, found by walking the program, says how it is called; the documentation says the same."""

from pathlib import Path

import click
import pytest

import serving.cli.commands
from serving.cli.command import Command
from serving.cli.program import COMMANDS, program
from serving.cli.reference import reference

ROOT = Path(__file__).resolve().parents[3]


def leaves(command, path):
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), f"{path} {name}")
    else:
        yield path, command


EVERY = dict(leaves(program, "mallard"))


@pytest.mark.parametrize("path", EVERY)
def test_a_command_has_an_example_that_calls_it(path):
    command = EVERY[path]
    assert isinstance(command, Command)
    assert command.example.startswith(path)
    with click.Context(command, info_name=path) as context:
        text = command.get_help(context)
    assert "Example:" in text
    assert path in text.partition("Example:")[2]


@pytest.mark.parametrize("path", EVERY)
def test_what_a_command_takes_is_explained(path):
    command = EVERY[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts} says nothing"


def test_one_file_per_command():
    folder = Path(serving.cli.commands.__file__).parent
    assert sorted(f.stem for f in folder.glob("*.py") if f.stem != "__init__") == sorted(COMMANDS)


def test_the_documentation_is_current():
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m serving.cli.reference > docs/cli.md"


def test_the_documentation_names_every_command():
    page = reference()
    assert [path for path in EVERY if f"# {path}" not in page] == []
