"""Bodies of the churn and tag calls."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class ChurnOut(BaseModel):
    """The risk of one user."""

    request_id: str
    model_version: str
    user_id: str
    as_of: datetime
    """The moment of the tags that were scored."""
    horizon_days: int
    """The probability is of no purchase within so many days after `as_of`."""
    eligible: bool
    """False: the model was not fitted for such users (too few purchases); take the numbers as rough."""
    probability: float
    low: float
    """Lower end of the 95 % interval of the probability."""
    high: float
    tier: str
    """red, yellow or blue."""
    expected_purchases: float
    """Purchase days expected within the horizon."""
    value_at_risk: float
    """Probability times expected spend within the horizon, in the mall's currency."""
    reasons: list[ChurnReasonOut]


class ScoreRequest(Request):
    """Users to score now, from their latest tags."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_ids": ["1", "2"]}]})

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]


class UserRiskOut(BaseModel):
    """The risk of one user of a batch."""

    user_id: str
    eligible: bool
    probability: float
    low: float
    high: float
    tier: str
    expected_purchases: float
    value_at_risk: float
    reasons: list[ChurnReasonOut]


class ScoresOut(BaseModel):
    """The risks of a batch of users, in the order of the request."""

    request_id: str
    model_version: str
    as_of: datetime
    horizon_days: int
    users: list[UserRiskOut]
    unknown_users: list[str]
    """Users without tags: they have done nothing yet, or only since the tags were built."""


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
    change: str | None = None
    """With `since`: added, changed or removed."""


class ChurnListOut(BaseModel):
    """A page of a churn list. Pages of one list belong to one snapshot, whatever is scored meanwhile."""

    request_id: str
    model_version: str
    snapshot: str
    since: str | None
    as_of: datetime
    horizon_days: int
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

    tag_spec: str
    """Hash of all declarations: it changes when a tag does."""
    tags: list[TagOut]


class ProfileOut(BaseModel):
    """The tags of one user, and how fresh they are."""

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
