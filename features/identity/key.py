"""The key under which identities are hashed. HMAC-SHA256 (RFC 2104), cut to 128 bits."""

import hashlib
import hmac
import os
import re
import secrets
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from features.contracts.errors import ConfigError
from features.contracts.home import Home
from features.identity.kinds import normalised

ENVIRONMENT: Final = "MALLARD_IDENTITY_KEY"

#: Begins every hashed value, so that a value is hashed once however often it passes by.
HASH_PREFIX: Final = "hk1:"
_HASHED: Final = re.compile(rf"{HASH_PREFIX}[0-9a-f]{{32}}")
_SHORTEST: Final = 16
_CHECKED: Final = b"mallard identity check"


class IdentityKey:
    """Hashes identities. The key is read, or made, when the first value is hashed; it is in no message and no log."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._secret: bytes | None = None

    @classmethod
    def of(cls, home: Home) -> "IdentityKey":
        """The key of ``home``: ``MALLARD_IDENTITY_KEY``, else its key file, made on first use with mode 0600.

        Hashing raises :class:`ConfigError` when the key is not the one that this home's identities were hashed with.
        """
        return cls(lambda: _key_of(home))

    def hash(self, kind: str, value: str) -> str | None:
        """``value`` of ``kind`` hashed; one that is hashed already stays, what is no identity gives ``None``."""
        if _HASHED.fullmatch(value):
            return value
        text = normalised(kind, value)
        if text is None:
            return None
        digest = hmac.digest(self._key(), f"{kind}\0{text}".encode(errors="surrogatepass"), "sha256")
        return HASH_PREFIX + digest.hex()[:32]

    def hash_all(self, kind: str, values: Iterable[str]) -> list[str | None]:
        """Many values of one kind, in order."""
        return [self.hash(kind, value) for value in values]

    def sign(self, purpose: str, content: bytes) -> str:
        """HMAC-SHA256 of ``content`` in hex; what is signed for one ``purpose`` proves nothing for another."""
        return hmac.digest(self._key(), b"\0".join((b"mallard", purpose.encode(), content)), "sha256").hex()

    def _key(self) -> bytes:
        if self._secret is None:
            self._secret = self._read()
        return self._secret


def _key_of(home: Home) -> bytes:
    given = os.environ.get(ENVIRONMENT)
    if given is not None and len(given) < _SHORTEST:
        raise ConfigError(f"{ENVIRONMENT} has fewer than {_SHORTEST} characters; give it a long random text")
    if given is not None:
        secret = given.encode()
    elif home.identity_key.exists():
        secret = home.identity_key.read_bytes().strip()
    elif home.identity_check.exists():
        raise ConfigError(
            f"the identity key of {home.root} is gone: put the file {home.identity_key} back or set {ENVIRONMENT}; "
            "under another key the same person would get another hash"
        )
    else:
        secret = _write_once(home.identity_key, secrets.token_hex(32).encode())
    check = hmac.digest(secret, _CHECKED, hashlib.sha256).hex()[:32].encode()
    if _write_once(home.identity_check, check) != check:
        raise ConfigError(
            f"this identity key is not the one that the identities of {home.root} were hashed with "
            f"(check value {home.identity_check}); restore that key in {ENVIRONMENT} or {home.identity_key}, "
            "or take everything in again in a new home"
        )
    return secret


def _write_once(file: Path, content: bytes) -> bytes:
    """``content`` in a new ``file`` of mode 0600, or what another process or an earlier run put there."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            file.hardlink_to(aside)
        except FileExistsError:
            pass  # another process was faster; its content counts
        finally:
            aside.unlink()
    return file.read_bytes().strip()
