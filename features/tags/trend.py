"""Trends: the recent window against the one of equal length before it."""

from collections.abc import Callable

from features.tags.spec import Family, Range, Value, Window, ratio, real, tag

FAMILY = Family("trend", "趋势", "The recent window against the one of equal length before it.")
VISITS = FAMILY.dimension("visit_trend", "Trend of visits", "访问趋势")
BROWSING = FAMILY.dimension("browsing_trend", "Trend of browsing", "浏览趋势")
BUYING = FAMILY.dimension("buying_trend", "Trend of buying", "购买趋势")
WINDOWS = (7, 30, 90)

_MEASURES = (
    ("active_days", VISITS, WINDOWS, ("Trend of active days", "活跃天数趋势")),
    ("actions", VISITS, WINDOWS, ("Trend of actions", "行为次数趋势")),
    ("views", BROWSING, WINDOWS, ("Trend of views", "浏览趋势")),
    ("dwell_seconds", BROWSING, (30,), ("Trend of time on pages", "停留时长趋势")),
    ("searches", BROWSING, WINDOWS, ("Trend of searches", "搜索趋势")),
    ("cart_adds", BUYING, WINDOWS, ("Trend of cart additions", "加购趋势")),
    ("orders", BUYING, WINDOWS, ("Trend of orders", "订单趋势")),
    ("spend", BUYING, WINDOWS, ("Trend of spend", "消费趋势")),
)


def against_before(recent: Value, both: Value) -> Value:
    """(recent - before) / (recent + before): 1 when all is recent, 0 when equal, -1 when all was before.

    ``both`` is the sum over both windows, so that ``before`` is ``both - recent``.
    """
    return ratio(2 * recent - both, both)


def _recent_and_both(measure: str) -> Callable[[Window], tuple[str, str]]:
    return lambda window: (window.of(measure), window.twice.of(measure))


for _name, _dimension, _windows, _title in _MEASURES:
    tag(
        f"{_name}_trend",
        _dimension,
        real("change", "nothing in either window", Range(-1, 1)),
        title=_title,
        over=_windows,
        inputs=_recent_and_both(_name),
    )(against_before)
