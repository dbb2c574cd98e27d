"""Trends: the recent window against the one of equal length before it."""

from collections.abc import Callable

from features.tags.spec import Family, Range, Value, Window, ratio, real, tag

FAMILY = Family("trend", "趋势", "The recent window against the one of equal length before it.")

_MEASURES = (
    ("active_days", ("Trend of active days", "活跃天数趋势")),
    ("orders", ("Trend of orders", "订单趋势")),
    ("spend", ("Trend of spend", "消费趋势")),
    ("views", ("Trend of views", "浏览趋势")),
    ("cart_adds", ("Trend of cart additions", "加购趋势")),
)


def against_before(recent: Value, both: Value) -> Value:
    """(recent - before) / (recent + before): 1 when all is recent, 0 when equal, -1 when all was before.

    ``both`` is the sum over both windows, so that ``before`` is ``both - recent``.
    """
    return ratio(2 * recent - both, both)


def _recent_and_both(measure: str) -> Callable[[Window], tuple[str, str]]:
    return lambda window: (window.of(measure), window.twice.of(measure))


for _name, _title in _MEASURES:
    tag(
        f"{_name}_trend",
        FAMILY,
        real("change", "nothing in either window", Range(-1, 1)),
        title=_title,
        over=(7, 30, 90),
        inputs=_recent_and_both(_name),
    )(against_before)
