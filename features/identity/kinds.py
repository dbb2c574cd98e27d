"""Kinds of identities, and one spelling for each value before it is hashed."""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an identity is. Kinds that are not listed are hashed and kept, and join nobody."""

    OPENID = "openid"
    UNIONID = "unionid"
    ALIPAY = "alipay_id"
    PHONE = "phone"
    PHONE_HASH = "phone_hash"
    MEMBER = "member_id"
    DEVICE = "device_id"
    ANONYMOUS = "anonymous_id"
    MERGE = "merge"
    """Two users that an operator declared to be one; the value names the pair."""


#: Kinds that belong to one person: two users who share a value are one user.
STRONG_KINDS: Final = (Kind.OPENID, Kind.UNIONID, Kind.ALIPAY, Kind.PHONE, Kind.PHONE_HASH, Kind.MEMBER)

#: Kinds of which a user has one at a time, and which pass to somebody else: a new value ends the link to the old one.
PASSED_ON: Final = (Kind.PHONE,)

_OTHER_NAMES: Final = {
    "alipay": Kind.ALIPAY,
    "device": Kind.DEVICE,
    "member": Kind.MEMBER,
    "mobile": Kind.PHONE,
    "anonymous": Kind.ANONYMOUS,
}
_PLACEHOLDERS: Final = frozenset(
    {"0", "-", "null", "none", "nil", "undefined", "unknown", "n/a", "na", "nan", "无", "未知"}
)
_COUNTRY: Final = re.compile(r"^(?:\+|00)?86(?=1[3-9]\d{9}$)")


def kind_named(name: str) -> str:
    """The kind that a users table calls ``name``; the name itself where Mallard knows none."""
    return str(_OTHER_NAMES.get(name, name))


def normalised(kind: str, value: str) -> str | None:
    """``value`` in the one spelling that is hashed; ``None`` for what is no identity (empty, ``null``, ``000000``).

    Phone numbers lose separators and the country code of mainland China, so that every spelling gives one hash.
    """
    text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip()
    if kind == Kind.PHONE:
        text = _COUNTRY.sub("", re.sub(r"[\s().-]", "", text))
    if not text or text.lower() in _PLACEHOLDERS or (len(text) > 3 and len(set(text)) == 1):
        return None
    return text
