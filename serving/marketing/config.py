"""How risk snapshots are made."""

from pydantic import Field

from features.contracts.config import Config


class MarketingConfig(Config):
    """Parameters of risk snapshots."""

    holdout_share: float = Field(default=0.05, ge=0, lt=1)
    """Share of users who are never contacted, so that the effect of contacting can be measured."""
    holdout_salt: str = "mallard-churn-1"
    """Names the draw of the hold-out: another salt draws another group. The same user and salt always agree."""
