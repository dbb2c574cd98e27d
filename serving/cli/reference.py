"""The command line as a page of documentation, made from the commands themselves: ``docs/cli.md``."""

from collections.abc import Iterator

import click

from serving.cli.command import Command
from serving.cli.program import program

HEADER = """# The command line

Made from the commands' own help by `python -m serving.cli.reference > docs/cli.md`; a test keeps it current.
"""

EXIT_CODES = """## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | something of ours failed; the message says what |
| 2 | what was handed in cannot be used: arguments, a file, a configuration |
| 3 | too many rows of a log are bad |
| 4 | not enough data for an honest model |
| 5 | a step before this one is missing |
| 6 | a model bundle is damaged |
| 7 | promotion refused: not shown to be better |
| 70 | an error nobody foresaw; `--debug` shows where |
| 130 | interrupted |
"""


def reference() -> str:
    """The whole page as Markdown."""
    context = click.Context(program, info_name="mallard")
    parts = [HEADER, "## Everywhere\n", "These may stand before a command's name and after it.\n", _options(context)]
    for name in program.list_commands(context):
        found = program.get_command(context, name)
        assert found is not None
        parts += _command(found, f"mallard {name}", depth=2)
    return "\n".join([*parts, EXIT_CODES])


def _command(command: click.Command, path: str, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=path, **command.context_settings)
    if isinstance(command, click.Group):
        yield f"{'#' * depth} {path}\n\n{_prose(command)}\n"
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None
            yield from _command(member, f"{path} {name}", depth + 1)
        return
    arguments = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    yield f"{'#' * depth} {' '.join([path, *arguments])}\n\n{_prose(command)}\n"
    if options := _options(context):
        yield options
    if isinstance(command, Command):
        yield f"```sh\n{command.example.strip()}\n```\n"


def _prose(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _options(context: click.Context) -> str:
    """A table of the options that show in the help; empty when there is none."""
    rows = [
        f"| `{names}` | {meaning.replace('|', chr(92) + '|')} |"
        for option in context.command.params
        if isinstance(option, click.Option) and (record := option.get_help_record(context)) is not None
        for names, meaning in [(record[0].replace("|", "\\|"), record[1])]
    ]
    return "\n".join(["| option | meaning |", "|---|---|", *rows, ""]) if rows else ""


if __name__ == "__main__":
    click.echo(reference(), nl=False)
