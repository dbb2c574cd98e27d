"""The churn model: scores (see :mod:`training.models.churn_scorer`), and itself as a bundle and back.

This is the scoring half of churn. It imports no pipeline, so the server loads it alone.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.contracts.errors import BundleError
from training.bundle import GOLDEN, Bundle, Manifest, write_bundle
from training.models.btyd import Btyd
from training.models.calibration import Calibrator
from training.models.churn_config import ChurnLabel, Population, TierThresholds
from training.models.churn_fallback import Fallback
from training.models.churn_heads import Head
from training.models.churn_scorer import ChurnScorer, Member, required_tags
from training.models.churn_scores import ChurnScores, Tier
from training.models.golden import check_kind, check_tags, golden_rows, replay
from training.models.logistic import Logistic
from training.models.uncertainty import Uncertainty

__all__ = ["KIND", "ChurnModel", "ChurnScores", "Tier", "required_tags"]

KIND: Final = "churn"
_OUTPUTS = ("probability", "low", "high", "expected_purchases")


class ChurnModel(ChurnScorer):
    """A fitted churn model."""

    def to_bundle(
        self,
        path: Path,
        examples: pa.Table,
        *,
        version: str,
        as_of: str,
        code_version: str,
        run_id: str = "",
        beside: Mapping[str, str] | None = None,
    ) -> Bundle:
        """Write to ``path``, which must not exist. Golden rows are taken evenly, without ids, from ``examples``.

        ``examples`` is a tag table with the required tags; ``as_of`` is the moment up to which the model has seen data;
        ``beside`` are further files, by name, that scoring does not read.
        """
        payload = {
            "label": self.label.model_dump(mode="json"),
            "population": self.population.model_dump(mode="json"),
            "tiers": self.tiers.model_dump(mode="json"),
            "tags": list(self.tags),
            "titles": {name: list(title) for name, title in self.titles.items()},
            "head_start": [member.head_start for member in self.members],
            "calibrator": str(self.calibrator.kind),
            "heads": [head.days for head in self.heads],
            "fallback": None if self.fallback is None else self.fallback.document(),
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
        arrays = {
            "rhythm": self.rhythm.to_array(),
            "linear": self.linear.to_array(),
            "calibrator": self.calibrator.to_array(),
            "uncertainty": self.uncertainty.to_array(),
        }
        for i, head in enumerate(self.heads):
            arrays |= {f"head_{i}": head.linear.to_array(), f"head_{i}_uncertainty": head.uncertainty.to_array()}
        texts = {f"member_{i}.txt": member.booster.model_to_string() for i, member in enumerate(self.members)}
        texts |= beside or {}
        texts[GOLDEN] = json.dumps(golden_rows(examples, self.required_tags, self._outputs))
        return write_bundle(path, manifest, arrays=arrays, texts=texts)

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """The model of a bundle, after its golden rows came out right.

        Raises :class:`BundleError` when the bundle is of another kind, when a tag it reads is declared otherwise today,
        or when a golden row differs.
        """
        check_kind(bundle, KIND)
        manifest = bundle.manifest
        payload = manifest.payload
        try:
            model = cls(
                label=ChurnLabel.model_validate(payload["label"]),
                population=Population.model_validate(payload["population"]),
                tiers=TierThresholds.model_validate(payload["tiers"]),
                tags=tuple(payload["tags"]),
                titles={name: (title[0], title[1]) for name, title in payload["titles"].items()},
                tag_spec=manifest.tag_spec,
                rhythm=Btyd.from_array(bundle.array("rhythm")),
                linear=Logistic.from_array(bundle.array("linear")),
                members=tuple(
                    Member(lgb.Booster(model_str=bundle.text(f"member_{i}.txt")), bool(head_start))
                    for i, head_start in enumerate(payload["head_start"])
                ),
                calibrator=Calibrator.from_array(payload["calibrator"], bundle.array("calibrator")),
                uncertainty=Uncertainty.from_array(bundle.array("uncertainty")),
                heads=tuple(
                    Head(
                        float(days),
                        Logistic.from_array(bundle.array(f"head_{i}")),
                        Uncertainty.from_array(bundle.array(f"head_{i}_uncertainty")),
                    )
                    for i, days in enumerate(payload.get("heads", ()))  # bundles of before had none
                ),
                fallback=None if payload["fallback"] is None else Fallback.from_document(payload["fallback"]),
            )
        except (KeyError, TypeError, ValueError, lgb.basic.LightGBMError) as error:
            raise BundleError(f"bundle {bundle.path}: not a whole churn model: {error}") from error
        check_tags(bundle, model.required_tags)
        replay(bundle, model._outputs)
        return model

    def _outputs(self, tags: pa.Table) -> dict[str, npt.NDArray[np.float64]]:
        scores = self.predict(tags, reasons=False)
        return {name: getattr(scores, name) for name in _OUTPUTS}
