"""Self-refund: orders that are refunded at once, again and again."""

from datetime import date
from math import ceil

from features.contracts.events import EventType
from features.traffic.config import TrafficConfig
from features.traffic.rule import Query, Reach, Rule


class SelfRefund(Rule):
    """Several orders of one account, or of several accounts on one device, refunded soon after, within the window.

    The order, its purchases and its refunds are marked, from the day on which the last pair that was missing was known.
    """

    name = "self_refund"
    meaning = "orders refunded at once, again and again, by one account or through one device"
    meaning_zh = "同一账号或同一设备反复下单后立即退款"
    reach = Reach.SPAN

    def query(self, config: TrafficConfig, day: date) -> Query:
        own = config.self_refund
        return Query(
            _SQL,
            {
                "day": day,
                "window": config.window_days - 1,
                "late": ceil(own.soon_hours / 24),
                "soon": int(own.soon_hours * 3_600_000_000),
                "times": own.times,
                "ring": own.ring,
                "public": sorted(config.shared_device.public_devices),
                "orders": [str(EventType.ORDER), str(EventType.PURCHASE)],
                "refund": str(EventType.REFUND),
            },
        )


#: A purchase without an order id stands for itself and is refunded by item.
_SQL = """
WITH refunds AS (SELECT * FROM commerce WHERE kind = $refund),
bought AS (SELECT * FROM commerce WHERE list_contains($orders, kind)),
found AS (
    SELECT b.actor, b.order_key AS key, b.event_id AS buy, r.event_id AS back, b.day, b.device,
        greatest(b.seen, r.seen) AS seen, r.day AS back_day
    FROM bought b JOIN refunds r ON b.actor = r.actor AND b.order_key = r.order_key
    WHERE r.us BETWEEN b.us AND b.us + $soon
    UNION ALL
    SELECT b.actor, b.item || ' ' || b.us, b.event_id, r.event_id, b.day, b.device,
        greatest(b.seen, r.seen), r.day
    FROM bought b JOIN refunds r ON b.actor = r.actor AND b.item = r.item
    WHERE (b.order_key IS NULL OR r.order_key IS NULL) AND r.us BETWEEN b.us AND b.us + $soon
),
keyed AS (
    SELECT 'account' AS kind, actor AS whose, actor, key, buy, back, day, back_day, seen, $times AS most FROM found
    UNION ALL
    SELECT 'device', device, actor, key, buy, back, day, back_day, seen, $ring
    FROM found WHERE device IS NOT NULL AND NOT list_contains($public::VARCHAR[], device)
),
windows AS (
    SELECT DISTINCT kind, whose, day AS last FROM keyed WHERE day BETWEEN $day - $late AND $day + $window
),
pairs AS (
    SELECT kind, whose, last, most, actor, key, min(seen) AS seen
    FROM windows JOIN keyed USING (kind, whose) WHERE day BETWEEN last - $window AND last GROUP BY ALL
),
reached AS (
    SELECT *, count(*) OVER (PARTITION BY kind, whose, last ORDER BY seen) AS n FROM pairs
),
exposed AS (
    SELECT kind, whose, last, most, min(seen) AS seen, min(n) AS n FROM reached WHERE n >= most GROUP BY ALL
),
marked AS (
    SELECT keyed.* REPLACE (greatest(keyed.seen, exposed.seen) AS seen), n
    FROM keyed JOIN exposed USING (kind, whose, most)
    WHERE day BETWEEN last - $window AND last
)
SELECT buy AS event_id, seen AS exposed, n / (n + most) AS score FROM marked WHERE day = $day
UNION ALL
SELECT back, seen, n / (n + most) FROM marked WHERE back_day = $day
"""
