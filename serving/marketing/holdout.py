"""Who is never contacted, decided by the id alone, so that it never changes and needs no table."""

import hashlib

_STEPS = 1_000_000


def in_holdout(user_id: str, share: float, salt: str) -> bool:
    """Whether ``user_id`` belongs to the hold-out of ``share``. A larger share holds everyone a smaller one held."""
    digest = hashlib.sha256(f"{salt}\0{user_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _STEPS < round(share * _STEPS)
