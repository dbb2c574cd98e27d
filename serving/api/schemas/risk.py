"""Bodies of the churn and tag calls."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.api.examples.risk import CHURN, CHURN_LIST, PROFILE, SCORES, TAGS
from serving.api.fields import Id
from serving.api.schemas.recommend import Request, TextOut


class ChurnReasonOut(BaseModel):
    """Why the risk is what it is."""

    code: str
    """The tag that speaks."""
    value: float | None
    raises: bool
    """True when it raises the risk, False when it lowers it."""
    text: TextOut


class CurvePointOut(BaseModel):
    """One point of the curve of the next purchase."""

    day: int
    no_purchase: float
    """Probability of no purchase until that day after `as_of`."""


class ActionOut(BaseModel):
    """What to do with a user."""

    name: str
    """offer, remind, call or leave_alone."""
    code: str
    """Of the reason."""
    text: TextOut
    """The reason."""
    expected_profit: float
    """Of the action, in the mall's currency; 0 for being left alone."""


class HorizonOut(BaseModel):
    """Churn over one horizon."""

    days: float
    probability: float
    """Of no purchase (or what the label asks for) within so many days."""
    low: float
    """Lower end of the 90 % interval."""
    high: float


class UserRiskOut(BaseModel):
    """The risk of one user; amounts in the mall's currency."""

    user_id: str
    eligible: bool
    """False: the model was not fitted for such users (too few purchases); take the numbers as rough."""
    probability: float
    low: float
    """Lower end of the 90 % interval of the probability."""
    high: float
    tier: str
    """red, yellow or blue."""
    expected_purchases: float
    """Purchase days expected within the horizon."""
    value_at_risk: float
    """Probability times expected spend within the horizon, in the mall's currency."""
    reasons: list[ChurnReasonOut]
    expected_value_30d: float | None
    """Spend expected within 30 days; null without a value model."""
    expected_value_90d: float | None
    expected_value_365d: float | None
    expected_next_purchase: str | None
    """Date by which half of those who buy within a year have bought; null where none in a year is likelier."""
    days_overdue: float | None
    """Days since the last purchase beyond the user's own mean pause, below 0 while it is not over; null before the
    second purchase day."""
    survival: list[CurvePointOut]
    """Probability of no purchase until some days; passes through `probability` at the horizon."""
    horizons: list[HorizonOut]
    """Churn over every horizon that the history is long enough for, the shortest first, the model's own among them."""
    uplift: float | None
    """Change of the probability of a visit by a message; null without an uplift model."""
    action: ActionOut


class ChurnOut(UserRiskOut):
    """The risk of one user, and which model says so."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHURN]})

    request_id: str
    model_version: str
    as_of: datetime
    """The moment of the tags that were scored."""
    horizon_days: int
    """The probability is of no purchase within so many days after `as_of`."""
    missing_models: list[str]
    """Kinds of model that are not deployed; what they would say is null."""
    fallback: TextOut | None
    """Why a simple rule answers in place of a churn model (what was missing to train one); null: a model does."""


class ScoreRequest(Request):
    """Users to score now, from their latest tags."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_ids": ["1", "2"]}]})

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]


class ScoresOut(BaseModel):
    """The risks of a batch of users, in the order of the request."""

    model_config = ConfigDict(json_schema_extra={"examples": [SCORES]})

    request_id: str
    model_version: str
    as_of: datetime
    horizon_days: int
    users: list[UserRiskOut]
    unknown_users: list[str]
    """Users without tags: they have done nothing yet, or only since the tags were built."""
    withheld_users: list[str]
    """Users who switched personalization off: their risk is not given out."""
    missing_models: list[str]
    """Kinds of model that are not deployed; what they would say is null."""
    fallback: TextOut | None
    """Why a simple rule answers in place of a churn model (what was missing to train one); null: a model does."""


class ActionReasonOut(BaseModel):
    """Why an action is recommended."""

    code: str
    text: TextOut


class ListedUserOut(BaseModel):
    """One row of a churn list."""

    user_id: str
    probability: float
    low: float
    high: float
    tier: str
    segment: str | None
    """Lifecycle stage: new, active, silent or lost."""
    expected_purchases: float | None
    value_at_risk: float | None
    reasons: list[ChurnReasonOut]
    consent_marketing: bool | None
    holdout: bool
    """Belongs to the group that is never contacted, so that the effect of contacting can be measured."""
    suppressed: bool
    """Must not be contacted; `suppression_reason` says why."""
    suppression_reason: str | None
    expected_value_30d: float | None
    """Spend expected within 30 days; null where no value model was deployed."""
    expected_value_90d: float | None
    expected_value_365d: float | None
    expected_next_purchase: str | None
    """A date; null where a year without a purchase is likelier than not."""
    days_overdue: float | None
    uplift: float | None
    """Change of the probability of a visit by a message; null where no uplift model was deployed."""
    action: str | None
    """offer, remind, call or leave_alone; null in snapshots of earlier versions."""
    action_reason: ActionReasonOut | None
    expected_profit: float | None
    """Of the action, in the mall's currency."""
    horizons: list[HorizonOut] | None
    """Churn over every horizon that the model knows, the shortest first; null in snapshots of earlier versions."""
    change: str | None = None
    """With `since`: added, changed or removed."""


class ChurnListOut(BaseModel):
    """A page of a churn list. Pages of one list belong to one snapshot, whatever is scored meanwhile."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHURN_LIST]})

    request_id: str
    model_version: str
    snapshot: str
    since: str | None
    as_of: datetime
    horizon_days: int
    missing_models: list[str]
    """Kinds of model that were not deployed when the snapshot was written."""
    fallback: TextOut | None
    """Why a simple rule answers in place of a churn model (what was missing to train one); null: a model does."""
    total: int
    """Rows of the whole list under the filters."""
    cursor: str | None
    """Send it to get the next page; null on the last one."""
    items: list[ListedUserOut]


class TagOut(BaseModel):
    """One tag of the catalogue."""

    name: str
    family: str
    dtype: str
    unit: str | None
    null: str | None
    """What null means."""
    window: str
    privacy: str
    title: TextOut
    description: str


class TagsOut(BaseModel):
    """The tag catalogue."""

    model_config = ConfigDict(json_schema_extra={"examples": [TAGS]})

    tag_spec: str
    """Hash of all declarations: it changes when a tag does."""
    tags: list[TagOut]


class ProfileOut(BaseModel):
    """The tags of one user, and how fresh they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [PROFILE]})

    user_id: str
    as_of: datetime
    """Events before this moment count."""
    built_at: datetime
    source: Literal["batch", "real_time"]
    """The latest build of everybody, or a newer one of this user alone."""
    age_seconds: float
    """From `as_of` to this answer."""
    tag_spec: str
    """Hash of the declarations that the tags were built by, as in the tag catalogue."""
    tags: dict[str, Any]
