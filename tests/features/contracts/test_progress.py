from collections.abc import Iterator
from contextlib import contextmanager

from features.contracts.progress import Task, reporting, say, step, track


class Recorder:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: dict[str, float] = {}

    @contextmanager
    def task(self, description: str, total: float | None, unit: str) -> Iterator[Task]:
        self.done[description] = 0
        recorder = self

        class _Task:
            def advance(self, amount: float = 1) -> None:
                recorder.done[description] += amount

        yield _Task()

    def say(self, message: str) -> None:
        self.lines.append(message)


def test_work_reaches_the_reporter_only_inside_the_block() -> None:
    recorder = Recorder()
    with reporting(recorder):
        assert list(track([1, 2, 3], "counting")) == [1, 2, 3]
        with step("reading", total=10) as task:
            task.advance(4)
        say("half way")
    say("nobody listens")
    assert recorder.done == {"counting": 3, "reading": 4}
    assert recorder.lines == ["half way"]
