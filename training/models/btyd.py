"""Both buy-till-you-die models of one set of customers: they disagree about when customers stop, so both are asked."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from training.models.bgnbd import BgNbd, PurchaseHistory
from training.models.pareto_nbd import ParetoNbd

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Btyd:
    """Fitted on the same histories. Immutable."""

    bg_nbd: BgNbd  # customers stop at a purchase
    pareto_nbd: ParetoNbd  # customers stop at any time

    @classmethod
    def fit(cls, history: PurchaseHistory) -> Self:
        """Both by maximum likelihood."""
        return cls(BgNbd.fit(history), ParetoNbd.fit(history))

    def to_array(self) -> Float64:
        """(2, 4) parameters of BG/NBD and of Pareto/NBD."""
        return np.stack([self.bg_nbd.to_array(), self.pareto_nbd.to_array()])

    @classmethod
    def from_array(cls, values: Float64) -> Self:
        if values.shape != (2, 4):
            raise ValueError(f"the rhythm has shape {values.shape}, not (2, 4)")
        return cls(BgNbd.from_array(values[0]), ParetoNbd.from_array(values[1]))

    def document(self) -> dict[str, dict[str, float]]:
        """Parameters by model and name."""
        return {"bg_nbd": dict(vars(self.bg_nbd)), "pareto_nbd": dict(vars(self.pareto_nbd))}
