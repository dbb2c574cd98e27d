"""Shared device: one device, many accounts that order."""

from datetime import date

from features.contracts.events import EventType
from features.traffic.config import TrafficConfig
from features.traffic.rule import Query, Reach, Rule


class SharedDevice(Rule):
    """Many accounts order through one device within the window, or fewer that order the same item.

    The second is brushing as Xu et al. describe it ("E-commerce reputation manipulation", WWW 2015): a ring of accounts
    raises the sales of one item. Exposed on the day on which the last account that was missing became known.
    """

    name = "shared_device"
    meaning = "many accounts order through one device, or several order the same item through it"
    meaning_zh = "多个账号在同一设备下单，或多个账号在同一设备购买同一商品"
    reach = Reach.SPAN

    def query(self, config: TrafficConfig, day: date) -> Query:
        own = config.shared_device
        return Query(
            _SQL,
            {
                "day": day,
                "window": config.window_days - 1,
                "accounts": own.accounts,
                "ring": own.ring,
                "public": sorted(own.public_devices),
                "orders": [str(EventType.ORDER), str(EventType.PURCHASE)],
            },
        )


_SQL = """
WITH bought AS (
    SELECT * FROM commerce
    WHERE device IS NOT NULL AND list_contains($orders, kind) AND NOT list_contains($public::VARCHAR[], device)
),
keyed AS (
    SELECT event_id, actor, day, seen, device, '' AS item, $accounts AS most FROM bought
    UNION ALL
    SELECT event_id, actor, day, seen, device, item, $ring FROM bought WHERE item IS NOT NULL
),
crowded AS (
    SELECT device, item, most FROM keyed GROUP BY ALL HAVING count(DISTINCT actor) >= most
),
orders AS (SELECT * FROM keyed SEMI JOIN crowded USING (device, item, most)),
windows AS (
    SELECT DISTINCT device, item, most, day AS last FROM orders WHERE day BETWEEN $day AND $day + $window
),
accounts AS (
    SELECT device, item, most, last, actor, min(seen) AS seen
    FROM windows JOIN orders USING (device, item, most) WHERE day BETWEEN last - $window AND last GROUP BY ALL
),
reached AS (
    SELECT *, count(*) OVER (PARTITION BY device, item, most, last ORDER BY seen) AS n FROM accounts
),
exposed AS (
    SELECT device, item, most, last, min(seen) AS seen, min(n) AS n FROM reached WHERE n >= most GROUP BY ALL
)
SELECT event_id, greatest(orders.seen, exposed.seen) AS exposed, n / (n + most) AS score
FROM orders JOIN exposed USING (device, item, most)
WHERE orders.day = $day AND orders.day BETWEEN last - $window AND last
"""
