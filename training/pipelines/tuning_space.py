"""What may be tried of settings, and what is drawn from it next."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import model_validator

from features.contracts.config import Config

#: Trials drawn evenly, the default among them, before the sampler believes what it has seen.
_EVENLY = 6
#: Trials in a row that share what is dear to change.
_STAY = 4
#: Draws of the sampler that may all be known before one is taken evenly from what is not.
_DRAWS = 8
#: A space of more points than this counts as endless.
_COUNTED = 10_000
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


class Range(Config):
    """Every number from ``low`` to ``high``; whole numbers when both bounds are."""

    low: int | float
    high: int | float
    log: bool = False
    """Draw evenly on a logarithmic scale."""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("a range goes from low to a larger high, and from above zero on a logarithmic scale")
        return self

    def distribution(self, default: float) -> BaseDistribution:
        """The range as Optuna spells it, widened so that it holds ``default``."""
        low, high = min(self.low, default), max(self.high, default)
        if isinstance(low, int) and isinstance(high, int):
            return IntDistribution(low, high, log=self.log)
        return FloatDistribution(low, high, log=self.log)


class Space:
    """The values of each setting that may be tried, the default's among them.

    A value of a list is handed to Optuna as JSON text: a list or mapping may be one too, and 1 is not true.
    """

    def __init__(self, values: Mapping[str, Sequence[Any] | Range], default: Mapping[str, Any]) -> None:
        self.distributions: dict[str, BaseDistribution] = {}
        for name, listed in values.items():
            if isinstance(listed, Range):
                self.distributions[name] = listed.distribution(default[name])
            else:
                texts = dict.fromkeys(json.dumps(value, sort_keys=True) for value in [default[name], *listed])
                self.distributions[name] = CategoricalDistribution(tuple(texts))
        self.default = self.encode({name: default[name] for name in values})

    def encode(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as Optuna's parameters."""
        return {
            name: json.dumps(value, sort_keys=True) if self._is_list(name) else value
            for name, value in settings.items()
        }

    def decode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Optuna's parameters as settings."""
        return {name: json.loads(value) if self._is_list(name) else value for name, value in params.items()}

    def untried(self, known: set[tuple[Any, ...]], held: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Every point with the values of ``held`` whose key is not ``known``; None when they are endless."""
        values = [
            [held[name]] if name in held else _values(distribution) for name, distribution in self.distributions.items()
        ]
        if math.prod(map(len, values)) > _COUNTED or not all(values):
            return None
        points = (dict(zip(self.distributions, point, strict=True)) for point in itertools.product(*values))
        return [point for point in points if key(point) not in known]

    def _is_list(self, name: str) -> bool:
        return isinstance(self.distributions[name], CategoricalDistribution)


def key(params: Mapping[str, Any]) -> tuple[Any, ...]:
    """Equal for equal parameters."""
    return tuple(sorted(params.items()))


def ended(study: Study) -> list[FrozenTrial]:
    """The trials that say something, oldest first; not those that were interrupted."""
    return study.get_trials(deepcopy=False, states=_ENDED)


class FreshSampler(TPESampler):
    """A tree-structured Parzen estimator that draws nothing twice and starts near what is known to be good.

    Until every value of every list was tried once, the next of them is put into the best settings so far, those in
    ``cheap`` first; a few trials in a large space would come to nothing if they were drawn evenly. From then on the
    estimator draws. Settings that are not cheap stay for :data:`_STAY` trials, for as long as there is something else
    to change: what they were fitted with is used again.
    """

    def __init__(self, space: Space, cheap: frozenset[str], seed: int) -> None:
        super().__init__(n_startup_trials=_EVENLY, seed=seed, multivariate=False, constant_liar=False)
        self._space = space
        self._dear = [name for name in space.distributions if name not in cheap]
        self._order = sorted(space.distributions, key=self._dear.__contains__)
        self._random = np.random.default_rng(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._space.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        trials = ended(study)
        known = {key(t.params) for t in trials}
        first = self._first_time(study, trials)
        if first:
            return first
        held = self._held(trials)
        left = self._space.untried(known, held)
        if left is not None and not left:
            held, left = {}, self._space.untried(known, {})
        for _ in range(_DRAWS):
            drawn = held | {
                name: self.sample_independent(study, trial, name, distribution)
                for name, distribution in search_space.items()
                if name not in held
            }
            if key(drawn) not in known:
                return drawn
        return left[int(self._random.integers(len(left)))] if left else drawn

    def _first_time(self, study: Study, trials: Sequence[FrozenTrial]) -> dict[str, Any] | None:
        """The best settings so far with a listed value that was never tried, None when all were."""
        for name in self._order if trials else []:
            distribution = self._space.distributions[name]
            if isinstance(distribution, CategoricalDistribution):
                seen = {trial.params[name] for trial in trials}
                for value in distribution.choices:
                    if value not in seen:
                        return study.best_params | {name: value}
        return None

    def _held(self, trials: Sequence[FrozenTrial]) -> dict[str, Any]:
        fits = [{name: trial.params[name] for name in self._dear} for trial in trials[-_STAY:]]
        return {} if not fits or (all(fit == fits[-1] for fit in fits) and len(fits) == _STAY) else fits[-1]


def _values(distribution: BaseDistribution) -> Sequence[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    return range(distribution.low, distribution.high + 1) if isinstance(distribution, IntDistribution) else ()
