"""The receipt of an erasure: what went from where, that every place was searched again, signed, and without an id."""

import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from features.contracts.errors import InputError
from features.identity import IdentityKey

PROTOCOL: Final = 1
_PURPOSE: Final = "erasure receipt"


class Part(BaseModel):
    """Base of what a receipt is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Removed(Part):
    """What went from one place."""

    place: str
    found: dict[str, int]
    """Records that named the person before, by what they are part of."""
    removed_at: datetime


class Verified(Part):
    """What a search of one place found afterwards."""

    place: str
    found: dict[str, int]
    """All zero, or there is no receipt."""
    searched_at: datetime


class Kept(Part):
    """A model that was trained while he was there: its answers leave him out, its files hold his id until it goes."""

    kind: str
    version: str
    where: str
    """``deployed`` or ``tracked``."""


class Receipt(Part):
    """Proof of an erasure. Ids are keyed hashes: who holds the identity key can tell whose it is."""

    protocol: int = PROTOCOL
    erasure: str
    ids: tuple[str, ...]
    """Keyed hashes of the person's ids, the one he was named by first."""
    asked_at: datetime
    finished_at: datetime
    removed: tuple[Removed, ...]
    snapshots: dict[str, dict[str, str]]
    """Risk snapshots that he was taken out of: SHA-256 of their files since."""
    verified: tuple[Verified, ...]
    kept: tuple[Kept, ...]
    statement: dict[str, str]
    """In words, by language."""
    signature: str = ""

    def signed(self, key: IdentityKey) -> Self:
        """With the signature of ``key``."""
        return self.model_copy(update={"signature": key.sign(_PURPOSE, self._content())})

    def is_signed_by(self, key: IdentityKey) -> bool:
        """Whether ``key`` signed it, and nothing was changed since."""
        return hmac.compare_digest(self.signature, key.sign(_PURPOSE, self._content()))

    @property
    def records(self) -> int:
        """How many records went."""
        return sum(count for removed in self.removed for count in removed.found.values())

    def _content(self) -> bytes:
        content = self.model_dump(mode="json", exclude={"signature"})
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_receipt(file: Path) -> Receipt:
    """A receipt as it was handed out. Raises :class:`InputError` that names file and field."""
    try:
        receipt = Receipt.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the whole"
        raise InputError(f"{file}: is no receipt of an erasure: {where}: {problem['msg']}") from error
    if receipt.protocol != PROTOCOL:
        raise InputError(f"{file}: has protocol {receipt.protocol}; this version of Mallard reads {PROTOCOL}")
    return receipt


def statement(records: int, places: int, kept: int) -> dict[str, str]:
    """What a receipt says in words."""
    english = (
        f"{records:,} records about the person were removed. All {places} places were searched again afterwards, and "
        "none is left. His ids are refused from now on."
    )
    chinese = f"已删除该用户的 {records:,} 条记录；删除后重新检索全部 {places} 处存储，无残留；其标识今后不再接收。"
    if kept:
        english += f" {kept} models were trained before; they give nothing out about him until they are replaced."
        chinese += f"有 {kept} 个模型在此前训练，替换之前不再输出其任何信息。"
    return {"en": english, "zh": chinese}
