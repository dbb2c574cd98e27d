import io

import pytest
from rich.console import Console

from features.contracts.progress import reporting, say, step, track
from serving.cli.progress import BarReporter, LineReporter, duration, pace, reporter, short, summary


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_short_work_leaves_no_line(capsys):
    clock = Clock()
    with reporting(LineReporter(clock)), step("reading", 10, "rows") as task:
        task.advance(10)
        clock.now = 1.9
    assert capsys.readouterr().err == ""


def test_long_work_tells_rate_and_time_left_and_ends_with_a_summary(capsys):
    clock = Clock()
    with reporting(LineReporter(clock)), step("reading", 100, "rows") as task:
        for _ in range(4):
            clock.now += 6
            task.advance(20)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 40 %, 3.33 rows/s, 18 s left",
        "reading: 80 %, 3.33 rows/s, 6.0 s left",
        "reading: 80 rows in 24 s (3.33 rows/s)",
    ]


def test_broken_work_leaves_no_summary(capsys):
    clock = Clock()

    def work():
        with reporting(LineReporter(clock)), step("reading"):
            clock.now = 60
            int("no number")

    with pytest.raises(ValueError, match="no number"):
        work()
    assert capsys.readouterr().err == ""


def test_lines_go_to_standard_error(capsys):
    with reporting(LineReporter()):
        say("seven [bold] ducks")
    assert capsys.readouterr() == ("", "seven [bold] ducks\n")


def test_bars_on_a_terminal_do_not_swallow_lines_or_read_markup():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    assert isinstance(reporter(console), BarReporter)
    with reporting(reporter(console)):
        assert list(track([1, 2], "an [odd] name", unit="rows")) == [1, 2]
        with step("outer"), step("inner [x]", 5):
            say("said [between]")
    assert "said [between]" in stream.getvalue()


def test_a_log_gets_lines():
    assert isinstance(reporter(Console(file=io.StringIO())), LineReporter)


def test_pace_says_what_is_known():
    assert pace(0, None, "", 5) == ""
    assert pace(1500, None, "rows", 3) == "1.5k rows, 500 rows/s"
    assert pace(5, 5, "rows", 1) == "100 %, 5 rows/s"
    assert summary("folding", 0, "", 3.14) == "folding: 3.1 s"


def test_numbers_for_people():
    assert [short(n) for n in (7, 950, 12_500, 1_469_307, 2e9)] == ["7", "950", "12.5k", "1.47M", "2G"]
    assert [duration(s) for s in (0.25, 42, 125, 3840)] == ["0.2 s", "42 s", "2 min 5 s", "1 h 4 min"]
