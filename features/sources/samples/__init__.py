"""Data sets that come inside packages. Found through package metadata; the packages' code is never imported."""

from collections.abc import Callable
from typing import Final

from features.sources.batch import Source
from features.sources.samples.cdnow import Cdnow
from features.sources.samples.complete_journey import CompleteJourney

SAMPLES: Final[dict[str, Callable[[], Source]]] = {
    CompleteJourney.name: CompleteJourney,
    Cdnow.name: Cdnow,
}
"""Sample name -> how to open it."""

__all__ = ["SAMPLES", "Cdnow", "CompleteJourney"]
