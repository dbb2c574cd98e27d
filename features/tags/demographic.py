"""Demographics: what the user, or the channel he came through, said about him. The users table has no history."""

from collections.abc import Callable

from features.tags.spec import Family, Privacy, Value, flag, real, tag, word
from features.tags.spec.bases import Users

FAMILY = Family("demographic", "人口属性", "What the user said about himself. As the users table stands now.")
PERSON = FAMILY.dimension("person", "Person", "个人属性")
HOUSEHOLD = FAMILY.dimension("household", "Household", "家庭")
REGISTRATION = FAMILY.dimension("registration", "Registration", "注册")
CONSENT = FAMILY.dimension("consent", "Consent", "授权")

_TOLD = (
    ("age", PERSON, ("Age or age band", "年龄")),
    ("gender", PERSON, ("Gender", "性别")),
    ("city", PERSON, ("City", "城市")),
    ("income", PERSON, ("Income band", "收入")),
    ("marital_status", HOUSEHOLD, ("Marital status", "婚姻状况")),
    ("household_size", HOUSEHOLD, ("Household size", "家庭人数")),
    ("kids_count", HOUSEHOLD, ("Children", "子女数")),
)


def _told(key: str) -> Callable[..., Value]:
    def expression(users: Users) -> Value:
        return users.demographic(key)

    return expression


for _key, _dimension, _title in _TOLD:
    tag(
        _key,
        _dimension,
        word("not told"),
        title=_title,
        privacy=Privacy.DEMOGRAPHIC,
        description=f"'{_key}' of the user's demographics, as text.",
    )(_told(_key))


@tag(
    "days_since_registration",
    REGISTRATION,
    real("days", "not registered, or not known"),
    title=("Days since registration", "注册天数"),
)
def days_since_registration(users: Users) -> Value:
    """Time since registration, with fractions of a day."""
    return users.since_registration


@tag("source_channel", REGISTRATION, word("not known"), title=("Source channel", "来源渠道"))
def source_channel(users: Users) -> Value:
    """The channel through which the user registered."""
    return users.source_channel


@tag("given_member_level", REGISTRATION, word("none given"), title=("Member level in the mall", "商城会员等级"))
def given_member_level(users: Users) -> Value:
    """The member level that the mall itself keeps; member_level is ours."""
    return users.member_level


@tag("accepts_marketing", CONSENT, flag("never asked"), title=("Accepts marketing", "接受营销"))
def accepts_marketing(users: Users) -> Value:
    """Consent to marketing, as it stands now."""
    return users.consent_marketing


@tag("accepts_personalization", CONSENT, flag("never asked"), title=("Accepts personalisation", "接受个性化"))
def accepts_personalization(users: Users) -> Value:
    """Consent to personalisation, as it stands now."""
    return users.consent_personalization
