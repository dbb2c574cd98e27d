"""One line of the doctor's report."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from features.contracts.errors import MallardError, MissingStateError


class State(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    TODO = "to do"  # a step that has not been taken yet
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    what: str
    state: State
    detail: str
    remedy: str = ""


def examine(what: str, look: Callable[[], str], remedy: str = "") -> Finding:
    """What ``look`` says is fine; a missing state is still to do, any other error of ours is broken."""
    try:
        return Finding(what, State.OK, look())
    except MissingStateError as error:
        return Finding(what, State.TODO, str(error), remedy)
    except MallardError as error:
        return Finding(what, State.BROKEN, str(error), remedy)
