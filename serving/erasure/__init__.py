"""Erasure of people: out of every store, proved by a signed receipt, resumed wherever it was cut off."""

from typing import TYPE_CHECKING

from features.contracts.faces import lazy

if TYPE_CHECKING:
    from serving.erasure.erasing import ask_to_erase, erase, lift
    from serving.erasure.jobs import Job, Jobs
    from serving.erasure.receipt import Receipt, read_receipt

__all__ = ["Job", "Jobs", "Receipt", "ask_to_erase", "erase", "lift", "read_receipt"]

__getattr__ = lazy(
    __name__,
    {
        "Job": "serving.erasure.jobs",
        "Jobs": "serving.erasure.jobs",
        "Receipt": "serving.erasure.receipt",
        "ask_to_erase": "serving.erasure.erasing",
        "erase": "serving.erasure.erasing",
        "lift": "serving.erasure.erasing",
        "read_receipt": "serving.erasure.receipt",
    },
)
