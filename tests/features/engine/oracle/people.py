"""People: demographic, social."""

from tests.features.engine.oracle.parts import BOUGHT, DAY, number, plain, since

_INVITED = "nullif(properties ->> '$.invited_user_id', '')"


def _user(value: str) -> str:
    return f"SELECT user_id, {value} AS value FROM users"


PEOPLE: dict[str, str] = {
    "shares": number("share"),
    "invites": number("invite"),
    "days_since_share": since("share"),
    "days_since_invite": since("invite"),
    "invited_users": plain(
        f"count(DISTINCT ({DAY}, {_INVITED})) FILTER (WHERE {_INVITED} IS NOT NULL)", "event_type = 'invite'"
    ),
    "invited_buyers": f"""
        WITH bought AS (SELECT user_id AS invited, max(occurred_at) AS last FROM counting WHERE {BOUGHT} GROUP BY ALL),
        invites AS (SELECT user_id, occurred_at, {_INVITED} AS invited FROM {{rows}} WHERE event_type = 'invite')
        SELECT user_id, count(DISTINCT invited) AS value FROM invites JOIN bought USING (invited)
        WHERE last >= occurred_at AND invited <> user_id GROUP BY user_id""",
    "days_since_registration": """SELECT user_id, (epoch_us($as_of) - epoch_us(registered_at)) / 86400e6 AS value
                                  FROM users WHERE registered_at < $as_of""",
    "source_channel": _user("source_channel"),
    "given_member_level": _user("member_level"),
    "accepts_marketing": _user("consent_marketing"),
    "accepts_personalization": _user("consent_personalization"),
} | {
    key: _user(f"demographics ->> '$.{key}'")
    for key in ("age", "gender", "city", "income", "marital_status", "household_size", "kids_count")
}
