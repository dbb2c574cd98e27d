"""The uplift model: how much likelier a user does what a message is for because he gets it.

It imports no pipeline, so the server loads it alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.errors import BundleError
from training.bundle import GOLDEN, Bundle, Manifest, write_bundle
from training.models.churn_features import tag_values
from training.models.golden import check_kind, check_tags, golden_rows, replay
from training.models.uplift_config import OutcomeConfig
from training.models.uplift_learners import Learner

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

KIND: Final = "uplift"


@dataclass(frozen=True)
class Effect:
    """A learner and the straight line that makes its effects mean what they say, learnt on users it had not seen."""

    learner: Learner
    intercept: float
    slope: float

    def of(self, columns: Float32) -> Float64:
        """(n,) change of the outcome's probability by contacting."""
        return np.asarray(self.intercept + self.slope * self.learner.effect(columns), dtype=np.float64)


@dataclass(frozen=True)
class UpliftModel:
    """What was fitted. Immutable; scoring needs a tag table and nothing else."""

    outcome: OutcomeConfig
    tags: tuple[str, ...]
    tag_spec: str  # hash of the declarations of these tags
    effect: Effect
    spend_per_outcome: float  # mean spend within the window of users with the outcome, in the events' currency

    @property
    def required_tags(self) -> tuple[str, ...]:
        """Every tag that :meth:`predict` reads."""
        return self.tags

    def predict(self, tags: pa.Table) -> Float64:
        """(n,) change of the outcome's probability by a message, of every user of a tag table.

        Raises :class:`InputError` that names a tag which the table lacks.
        """
        return self.effect.of(tag_values(tags, self.tags).astype(np.float32))

    def to_bundle(
        self, path: Path, examples: pa.Table, *, version: str, as_of: str, code_version: str, run_id: str = ""
    ) -> Bundle:
        """Write to ``path``, which must not exist; golden rows come from ``examples``, a tag table."""
        learner = self.effect.learner
        payload = {
            "outcome": self.outcome.model_dump(mode="json"),
            "tags": list(self.tags),
            "learner": str(learner.kind),
            "share": learner.share,
            "trees": len(learner.boosters),
            "intercept": self.effect.intercept,
            "slope": self.effect.slope,
            "spend_per_outcome": self.spend_per_outcome,
        }
        manifest = Manifest(
            kind=KIND,
            version=version,
            as_of=as_of,
            code_version=code_version,
            tag_spec=self.tag_spec,
            run_id=run_id,
            payload=payload,
        )
        golden = golden_rows(examples, self.required_tags, self._outputs)
        return write_bundle(path, manifest, arrays={}, texts={**learner.to_texts(), GOLDEN: json.dumps(golden)})

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """The model of a bundle, after its golden rows came out right.

        Raises :class:`BundleError` when the bundle is of another kind, when a tag it reads is declared otherwise today,
        or when a golden row differs.
        """
        check_kind(bundle, KIND)
        payload = bundle.manifest.payload
        try:
            texts = [bundle.text(f"trees_{i}.txt") for i in range(payload["trees"])]
            learner = Learner.from_texts(payload["learner"], texts, float(payload["share"]))
            model = cls(
                outcome=OutcomeConfig.model_validate(payload["outcome"]),
                tags=tuple(payload["tags"]),
                tag_spec=bundle.manifest.tag_spec,
                effect=Effect(learner, float(payload["intercept"]), float(payload["slope"])),
                spend_per_outcome=float(payload["spend_per_outcome"]),
            )
        except (KeyError, ValueError, lgb.basic.LightGBMError) as error:
            raise BundleError(f"bundle {bundle.path}: not a whole uplift model: {error}") from error
        check_tags(bundle, model.required_tags)
        replay(bundle, model._outputs)
        return model

    def _outputs(self, tags: pa.Table) -> dict[str, Float64]:
        return {"effect": self.predict(tags)}
