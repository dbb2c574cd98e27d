"""What lies below ``MALLARD_HOME`` and can be made live."""

from dataclasses import dataclass

from features.contracts.errors import UnknownNameError
from features.contracts.home import Home
from training.deployment import Deployed, deploy, live

KINDS = ("recommend", "churn", "value", "uplift")


@dataclass(frozen=True)
class DeployedModels:
    """The versions of one kind."""

    kind: str
    live: str | None
    versions: list[str]


def deployed_models(home: Home) -> list[DeployedModels]:
    """Every kind with its live version and all versions that are there, by name."""
    found = []
    for kind in KINDS:
        path = live(home, kind)
        folder = home.bundles / kind
        versions = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
        found.append(DeployedModels(kind, path.name if path else None, versions))
    return found


def deploy_version(home: Home, kind: str, version: str) -> Deployed:
    """Make a version that lies below ``home`` live; raises :class:`UnknownNameError` when there is none of the name."""
    known = next(m.versions for m in deployed_models(home) if m.kind == kind)
    # Compared with what is there, never joined into a path first: a version is a name, not a way out of the folder.
    if version not in known:
        raise UnknownNameError(f"there is no '{kind}' bundle '{version}'; there are: {', '.join(known) or 'none'}")
    return deploy(home, home.bundles / kind / version)
