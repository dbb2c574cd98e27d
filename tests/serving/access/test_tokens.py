"""Bearer tokens: only what the provider signed, for us, and for now, opens."""

from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from features.contracts.errors import ConfigError, StoreUnavailableError
from serving.access.config import TokensConfig
from serving.access.tokens import Tokens, is_loopback

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = 4_000_000_000
CLAIMS = {"iss": "https://id", "aud": "mallard", "sub": "crm", "exp": NOW, "scope": "openid risk marketing"}


def signed(key: Any = OURS, algorithm: str = "RS256", key_id: str = "k1", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True)
    file = tmp_path / "jwks.json"
    file.write_bytes(orjson.dumps({"keys": [{**public, "kid": "k1", "use": "sig"}]}))
    return file


@pytest.fixture
def tokens(keys: Path) -> Tokens:
    return Tokens(TokensConfig(issuer="https://id", audience="mallard", jwks=str(keys)), ("recommend", "risk"))


def test_a_good_token_opens_its_scopes_that_are_ours(tokens: Tokens) -> None:
    caller = tokens.caller(signed())
    assert caller is not None
    assert (caller.id, caller.name, caller.scopes) == ("sub:crm", "crm", ("risk",))
    assert tokens.is_known(signed())
    listed = tokens.caller(signed(scope=["recommend"]))
    assert listed is not None
    assert listed.scopes == ("recommend",)


@pytest.mark.parametrize(
    "token",
    [
        signed(exp=1),
        signed(iss="https://elsewhere"),
        signed(aud="another"),
        signed(exp=None),
        signed(sub=None),
        signed(OTHER),
        signed(key_id="k2"),
        signed(algorithm="RS512"),
        signed("0123456789abcdef0123456789abcdef", "HS256"),
        jwt.encode(CLAIMS, None, algorithm="none", headers={"kid": "k1"}),
        "a.b.c",
        "",
        "x" * 10_000,
    ],
)
def test_other_tokens_open_nothing(tokens: Tokens, token: str) -> None:
    assert tokens.caller(token) is None


def test_without_keys_nobody_can_be_judged(tmp_path: Path) -> None:
    config = TokensConfig(issuer="https://id", audience="mallard", jwks=str(tmp_path / "none.json"))
    with pytest.raises(StoreUnavailableError, match=r"none\.json"):
        Tokens(config, ("risk",)).caller(signed())


def test_keys_do_not_come_in_clear_from_afar() -> None:
    with pytest.raises(ConfigError, match="https"):
        Tokens(TokensConfig(issuer="i", audience="a", jwks="http://id.example.com/jwks"), ("risk",))
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", None)] == [True] * 3 + [
        False
    ] * 2
