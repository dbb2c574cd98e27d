"""The words MLflow accepts for ours, in one place."""

from features.contracts.errors import UnknownNameError

CHAMPION = "champion"
CHALLENGER = "challenger"
ALIASES = (CHAMPION, CHALLENGER)

#: The kinds of model that are tracked; also ``Manifest.kind`` and the names of the experiments.
KINDS = ("recommend", "churn", "value", "uplift")

_PREFIX = "mallard-"

#: MLflow allows letters, digits and ``_-. :/`` in the name of a metric or parameter.
_SPELLED_OUT = {"@": "_at_", "%": "pct", "+": "_plus_", "=": "_is_", "×": "_by_", "&": "_and_"}


def model_name(kind: str) -> str:
    """The name of a kind in the model registry: ``mallard-churn``."""
    if kind not in KINDS:
        raise UnknownNameError(f"there is no model kind '{kind}'; the kinds are {', '.join(KINDS)}")
    return f"{_PREFIX}{kind}"


def tracked_name(name: str) -> str:
    """``name`` as MLflow accepts it: ``ndcg@10`` is ``ndcg_at_10``, ``lift@10%`` is ``lift_at_10pct``."""
    for sign, word in _SPELLED_OUT.items():
        name = name.replace(sign, word)
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in name).strip("/.")
