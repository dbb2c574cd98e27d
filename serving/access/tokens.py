"""Bearer tokens of an identity provider, checked against the provider's public keys (RFC 7519, RFC 8725)."""

import hashlib
import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import orjson

from features.contracts.errors import ConfigError, StoreUnavailableError
from serving.access.caller import Caller
from serving.access.config import TokensConfig

_LOG = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 3.0
_LONGEST_KEYS = 1 << 20  # bytes
_PAUSE_SECONDS = 10.0  # between two reads that unknown key ids provoke
_LONGEST_TOKEN = 8192
_REMEMBERED = 4096  # tokens
_REMEMBER_SECONDS = 30.0


class Tokens:
    """Checks tokens; keeps the provider's keys, and for a moment what it has checked. Safe between threads."""

    def __init__(
        self, config: TokensConfig, scopes: tuple[str, ...], *, clock: Callable[[], float] = time.time
    ) -> None:
        """``scopes`` are ours: others in a token mean nothing. Raises :class:`ConfigError` for an unsafe address."""
        self._config, self._ours, self._clock = config, scopes, clock
        self._read = _reader(config.jwks)
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = self._tried_at = float("-inf")
        self._checked: dict[bytes, tuple[Caller, float]] = {}

    def is_known(self, token: str) -> bool:
        """Whether :meth:`caller` answers without reading keys."""
        return self._remembered(_digest(token)) is not None

    def caller(self, token: str) -> Caller | None:
        """Who sends ``token``; None when it is not signed by the provider, not for us, or over.

        Raises :class:`StoreUnavailableError` when the provider's keys were never read.
        """
        if len(token) > _LONGEST_TOKEN:
            return None
        digest = _digest(token)
        known = self._remembered(digest)
        if known is not None:
            return known
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._config.algorithms:
                return None
            key = self._key(str(header.get("kid", "")))
            if key is None:
                return None
            claims = jwt.decode(
                token,
                key.key,
                algorithms=list(self._config.algorithms),
                issuer=self._config.issuer,
                audience=self._config.audience,
                leeway=self._config.leeway_seconds,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            return None
        given = claims.get(self._config.scope_claim, "")
        words = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        subject = str(claims["sub"])
        caller = Caller(f"sub:{subject}", subject, tuple(scope for scope in self._ours if scope in words))
        if len(self._checked) >= _REMEMBERED:
            self._checked.clear()
        until = min(self._clock() + _REMEMBER_SECONDS, float(claims["exp"]))
        self._checked[digest] = (caller, until)
        return caller

    def _remembered(self, digest: bytes) -> Caller | None:
        found = self._checked.get(digest)
        return found[0] if found is not None and self._clock() < found[1] else None

    def _key(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id; unknown ids make the keys be read again, but not more often than every few seconds."""
        with self._lock:
            now = self._clock()
            old = now - self._read_at >= self._config.keys_seconds
            if (old or key_id not in self._keys) and now - self._tried_at >= _PAUSE_SECONDS:
                self._tried_at = now
                try:
                    self._keys = _keys_of(self._read())
                    self._read_at = now
                except (OSError, ValueError, jwt.PyJWTError) as error:
                    _LOG.warning("the keys of %s cannot be read: %s", self._config.jwks, error)
            if self._read_at == float("-inf"):
                raise StoreUnavailableError(f"the keys of the identity provider cannot be read: {self._config.jwks}")
            return self._keys.get(key_id)


def _reader(place: str) -> Callable[[], bytes]:
    if "://" not in place:
        return Path(place).read_bytes
    parts = urlsplit(place)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ConfigError(f"access.tokens.jwks: {place}: keys come over https://, or http:// from this machine")

    def read() -> bytes:
        with urllib.request.urlopen(place, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - scheme checked above
            data: bytes = answer.read(_LONGEST_KEYS)
            return data

    return read


def _keys_of(text: bytes) -> dict[str, jwt.PyJWK]:
    found = jwt.PyJWKSet.from_dict(orjson.loads(text))
    return {key.key_id or "": key for key in found.keys if key.key_type != "oct"}


def is_loopback(host: str | None) -> bool:
    """Whether ``host`` is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
