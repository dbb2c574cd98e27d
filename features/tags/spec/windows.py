"""Windows of time, counted back from the ``as_of`` of a build."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Window:
    """The last ``days`` whole UTC days before the day of ``as_of``, and that day's rows before ``as_of`` itself.

    With ``as_of`` at midnight this is exactly the last ``days`` days: ``[floor_day(as_of) - days, as_of)``. In the
    middle of a day the running day comes on top. ``None`` means everything before ``as_of``.
    """

    days: int | None = None

    def of(self, name: str) -> str:
        """The name of tag ``name`` over this window: ``orders`` is ``orders_30d`` over 30 days, ``orders`` over all."""
        return f"{name}{self.suffix}"

    @property
    def suffix(self) -> str:
        return "" if self.days is None else f"_{self.days}d"

    @property
    def twice(self) -> "Window":
        """The window of double length, of which this one is the recent half."""
        return Window(None if self.days is None else 2 * self.days)

    def in_english(self, title: str) -> str:
        """``title`` with the window behind it."""
        return title if self.days is None else f"{title}, last {_days(self.days)}"

    def in_chinese(self, title: str) -> str:
        """``title`` with the window before it."""
        return title if self.days is None else f"近{self.days}天{title}"

    def __str__(self) -> str:
        return "all time" if self.days is None else _days(self.days)


ALL_TIME: Final = Window(None)

#: Days over which every type of event is counted.
COUNTED_DAYS: Final = (1, 3, 7, 14, 30, 60, 90, 180)


def windows(days: Iterable[int | None]) -> tuple[Window, ...]:
    """Windows of these lengths."""
    return tuple(Window(d) for d in days)


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"
