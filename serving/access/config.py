"""Parameters of access: rates, the audit log, and tokens of an identity provider."""

from typing import Literal

from pydantic import Field

from features.contracts.config import Config

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class RateConfig(Config):
    """A token bucket: so many requests a second over time, so many at once."""

    per_second: float = Field(default=5_000, gt=0, le=1e6)
    """Requests a second that are let through in the long run, by all workers together."""
    burst: int = Field(default=10_000, ge=1, le=10_000_000)
    """Requests that may come at once after a pause."""


class RatesConfig(Config):
    """How often one caller may ask."""

    default: RateConfig = RateConfig()
    """Of every caller that is not named below."""
    callers: dict[str, RateConfig] = Field(default_factory=dict)
    """By the name of the key (``mallard keys list``) or the subject of the token."""


class AuditConfig(Config):
    """Which calls leave a line in the audit log."""

    scopes: frozenset[Literal["recommend", "risk", "marketing", "ingest", "admin"]] = frozenset(
        {"risk", "marketing", "admin"}
    )
    """Calls under these scopes are recorded. ``recommend`` would add a line for every page view."""
    require_purpose: bool = False
    """Refuse recorded calls that do not say why they ask (``X-Purpose``)."""


class TokensConfig(Config):
    """Bearer tokens of an identity provider (OpenID Connect), accepted beside API keys."""

    issuer: str = Field(min_length=1)
    """What the claim ``iss`` must be."""
    audience: str = Field(min_length=1)
    """What the claim ``aud`` must hold."""
    jwks: str = Field(min_length=1)
    """The provider's public keys: an ``https://`` address (``http://`` on loopback) or a file."""
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    """Signatures that are accepted. Shared secrets (HS256) and unsigned tokens never are."""
    scope_claim: str = "scope"
    """The claim with the scopes, as words in one text or as a list."""
    keys_seconds: float = Field(default=600, gt=0)
    """How long the provider's keys are kept before they are read again."""
    leeway_seconds: float = Field(default=30, ge=0, le=300)
    """How far the clocks may differ."""


class AccessConfig(Config):
    """Who may ask, and how often."""

    key_seconds: float = Field(default=0.5, gt=0, le=1)
    """How long a worker trusts what it knows of a key; a revoked key is closed everywhere after it."""
    key_outage_seconds: float = Field(default=300, ge=0)
    """While the online store does not answer, keys that were good so long ago go on opening."""
    rates: RatesConfig = RatesConfig()
    audit: AuditConfig = AuditConfig()
    tokens: TokensConfig | None = None
    """Absent: API keys only."""
