"""Answers about erasures."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from serving.api.examples.erasure import PENDING
from serving.erasure.receipt import Receipt


class ErasureState(StrEnum):
    """How far an erasure is."""

    PENDING = "pending"  # in force for every question and event; being taken out of the files
    DONE = "done"
    LIFTED = "lifted"  # was done; his ids are admitted again


class ErasureOut(BaseModel):
    """The last erasure of a person."""

    model_config = ConfigDict(json_schema_extra={"examples": [PENDING]})

    erasure: str
    state: ErasureState
    asked_at: datetime
    finished_at: datetime | None = None
    receipt: Receipt | None = None
    """What went from where and what a second search found, signed; null until it is done."""
