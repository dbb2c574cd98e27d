"""Who asks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key or the subject of a token, and what it opens."""

    id: str
    name: str
    scopes: tuple[str, ...]
