"""Versions of models and the two names that matter: champion and challenger."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from features.contracts.errors import MissingStateError, PromotionRefusedError, UnknownNameError
from training.tracking.names import ALIASES, CHALLENGER, CHAMPION, model_name
from training.tracking.promotion import Comparison, from_text, refusal, to_text

_COMPARISONS = "comparisons"
_FINGERPRINT = "data_fingerprint"
_STANDS_IN = "stands_in_because"
_REASON = "promotion"


@dataclass(frozen=True)
class RegisteredModel:
    """One version in the registry."""

    kind: str
    version: str  # counts up from 1 for each kind
    run_id: str
    path: Path  # the directory of the bundle
    fingerprint: str  # of the data it was fitted on
    comparisons: tuple[Comparison, ...]
    aliases: tuple[str, ...]
    created_at: float  # seconds since 1970, UTC
    stands_in: str = ""  # why it is no model but a simple rule that serves until there is one

    def beside(self, name: str) -> Path:
        """What the run kept under ``name``, next to the bundle."""
        return self.path.parent / name


class Registry:
    """The registered models of one store."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def register(
        self,
        kind: str,
        run_id: str,
        source: str,
        fingerprint: str,
        comparisons: Sequence[Comparison],
        stands_in: str = "",
    ) -> RegisteredModel:
        """Add the bundle at the artifact URI ``source`` as the next version and make it the challenger.

        ``stands_in`` says why it is only a rule that serves until there is a model: such a version is not promoted.
        """
        name = model_name(kind)
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name)
        tags = {_FINGERPRINT: fingerprint, _COMPARISONS: to_text(comparisons), _STANDS_IN: stands_in}
        version = self._client.create_model_version(name, source=source, run_id=run_id, tags=tags)
        self._client.set_registered_model_alias(name, CHALLENGER, version.version)
        return self.version(kind, str(version.version))

    def version(self, kind: str, number: str) -> RegisteredModel:
        """One version by number. Raises :class:`UnknownNameError` with the numbers there are."""
        found = {model.version: model for model in self.versions(kind)}
        if number not in found:
            have = ", ".join(sorted(found, key=int)) or "none yet"
            raise UnknownNameError(f"the {kind} model has no version '{number}'; versions: {have}")
        return found[number]

    def alias(self, kind: str, name: str) -> RegisteredModel | None:
        """The version that carries the alias ``name``, or None."""
        return next((model for model in self.versions(kind) if name in model.aliases), None)

    def versions(self, kind: str) -> list[RegisteredModel]:
        """Every version, newest first."""
        name = model_name(kind)
        registered = self._client.search_registered_models(f"name = '{name}'")
        holders = {alias: str(version) for alias, version in registered[0].aliases.items()} if registered else {}
        rows = [_model(kind, row, holders) for row in self._client.search_model_versions(f"name = '{name}'")]
        return sorted(rows, key=lambda model: int(model.version), reverse=True)

    def find(self, kind: str, alias_or_version: str) -> RegisteredModel:
        """A version by alias or number.

        Raises :class:`MissingStateError` when nothing carries the alias and :class:`UnknownNameError` for a number
        that was never given out.
        """
        if alias_or_version not in ALIASES:
            return self.version(kind, alias_or_version)
        model = self.alias(kind, alias_or_version)
        if model is None:
            raise MissingStateError(f"there is no {kind} {alias_or_version} yet; run 'mallard train {kind}'")
        return model

    def promote(self, kind: str, comparisons: Sequence[Comparison], *, force: bool) -> RegisteredModel:
        """Make the challenger the champion; see :meth:`training.tracking.Tracker.promote`."""
        champion = self.alias(kind, CHAMPION)
        challenger = self.find(kind, CHALLENGER)
        judged = tuple(comparisons) or challenger.comparisons
        reason = challenger.stands_in or refusal(judged, champion.version if champion else "")
        if reason is not None and not force:
            raise PromotionRefusedError(f"{kind} version {challenger.version} is not promoted: {reason}")
        evidence = "; ".join(map(str, judged))
        name = model_name(kind)
        self._client.set_model_version_tag(
            name, challenger.version, _REASON, evidence if reason is None else f"forced although {reason}"
        )
        self._client.set_registered_model_alias(name, CHAMPION, challenger.version)
        self._client.delete_registered_model_alias(name, CHALLENGER)
        return self.version(kind, challenger.version)


def _model(kind: str, row: ModelVersion, holders: dict[str, str]) -> RegisteredModel:
    number = str(row.version)
    return RegisteredModel(
        kind=kind,
        version=number,
        run_id=row.run_id or "",
        path=Path(unquote(urlparse(row.source).path)),
        fingerprint=row.tags.get(_FINGERPRINT, ""),
        comparisons=from_text(row.tags.get(_COMPARISONS, "")),
        aliases=tuple(sorted(alias for alias, version in holders.items() if version == number)),
        created_at=row.creation_timestamp / 1000,
        stands_in=row.tags.get(_STANDS_IN, ""),
    )
