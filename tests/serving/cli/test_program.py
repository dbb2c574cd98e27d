import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from features.contracts import errors
from serving.cli.command import command
from serving.cli.program import COMMANDS, Program
from serving.cli.session import as_json


def failing(error):
    """A program with one command that raises ``error``."""

    @command("fail", example="mallard fail")
    def fail():
        """Fail."""
        raise error

    class OneCommand(Program):
        def get_command(self, ctx, cmd_name):
            return fail

    from serving.cli.options import global_options

    return OneCommand("mallard", members={"fail": ("", "Fail.")}, params=global_options(hidden=False))


def ended(error, *options):
    return CliRunner().invoke(failing(error), [*options, "fail"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MallardError("it broke"), 1),
        (errors.ConfigError("a.yaml:3: k: wrong"), 2),
        (errors.QualityLimitError("too many bad rows"), 3),
        (errors.NotEnoughDataError("12 buyers"), 4),
        (errors.MissingStateError("no champion"), 5),
        (errors.BundleError("damaged"), 6),
        (errors.PromotionRefusedError("[-0.1, 0.1]"), 7),
    ],
)
def test_an_error_of_ours_is_one_line_and_its_code(error, code):
    result = ended(error)
    assert (result.exit_code, result.stderr, result.stdout) == (code, f"error: {error}\n", "")


def test_in_json_mode_an_error_is_a_document_too():
    result = ended(errors.MissingStateError("no champion"), "--json")
    assert result.exit_code == 5
    assert '"type": "MissingStateError"' in result.stdout
    assert '"message": "no champion"' in result.stdout


def test_an_interrupt_ends_with_130():
    assert ended(KeyboardInterrupt()).exit_code == 130


def test_an_unexpected_error_is_one_line_until_one_asks():
    result = ended(ZeroDivisionError("by zero"))
    assert result.exit_code == 70
    assert result.stderr == "unexpected error: ZeroDivisionError: by zero (run it again with --debug to see where)\n"
    assert "Traceback" in ended(ZeroDivisionError("by zero"), "--debug").stderr


def test_a_wrong_command_is_answered_with_the_right_ones(mallard):
    outcome = mallard("trian")
    assert outcome.code == 2
    assert "there is no command 'trian'; there are demo, sample, simulate, ingest" in outcome.err


def test_a_wrong_option_is_named(mallard):
    outcome = mallard("quality", "--owt", "x")
    assert outcome.code == 2
    assert "Usage: " in outcome.err
    assert "--owt" in outcome.err


def test_global_options_stand_before_and_after_the_command(mallard, tmp_path):
    before = mallard("--json", "--home", tmp_path / "other", "keys", "list")
    after = mallard("keys", "list", "--json", "--home", tmp_path / "other")
    assert before == after
    assert before.document == []
    assert (tmp_path / "other" / "online").is_dir()


def test_the_overview_lists_every_command(mallard):
    text = mallard("--help").out
    for name, (_, summary) in COMMANDS.items():
        assert name in text
        assert summary in text


def test_the_version(mallard):
    assert mallard("--version").out.startswith("mallard 0.")


def test_json_has_no_words_for_what_is_not_finite():
    assert as_json({"a": float("nan"), "b": (1.5, float("inf"))}) == '{\n "a": null,\n "b": [\n  1.5,\n  null\n ]\n}'


def test_the_overview_imports_nothing_heavy():
    code = "import sys; from serving.cli import program\nprogram.main(['--help'], prog_name='mallard')"
    script = f"import atexit, sys; atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr))\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.replace("'", "").strip("[]\n").split(", "))
    assert "click" in loaded
    assert not loaded & {"pandas", "numpy", "pyarrow", "pydantic", "yaml", "rich", "duckdb", "mlflow", "fastapi"}


def test_a_real_process_ends_with_the_code_and_one_document(home, tmp_path):
    arguments = [sys.executable, "-m", "serving.cli", "--json", "quality"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert '"exit_code": 5' in done.stdout
    assert done.stderr.startswith("error: ")


def test_commands_are_real_click_commands():
    with pytest.raises(TypeError, match="is no command"):
        Program("mallard", members={"x": ("serving.cli.session:Session", "")}).get_command(
            click.Context(Program("x", members={})), "x"
        )
