import click
import pytest

from serving.cli.budget import minutes

PARAMETER = click.Option(["--budget"])


@pytest.mark.parametrize(
    ("written", "length"), [("20m", 20), ("1h", 60), ("90s", 1.5), ("1.5 h", 90), ("3", 3), (" 10m ", 10)]
)
def test_a_time_to_spend_is_minutes(written, length):
    assert minutes(click.Context(click.Command("train")), PARAMETER, written) == pytest.approx(length)


@pytest.mark.parametrize("written", ["", "0m", "-5m", "20 d", "soon", "1h30m"])
def test_what_is_no_time_to_spend_is_refused_by_the_command(mallard, written):
    outcome = mallard("train", "recommend", "--budget", written)
    assert outcome.code == 2
    assert "is no time to spend; write it as 20m, 1h or 90s" in outcome.err
