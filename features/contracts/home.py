"""Where things lie on disk: one class that knows every path below ``MALLARD_HOME``."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The layout of one Mallard installation. Holding it creates nothing; writers make what they need."""

    root: Path
    configs: Path
    mlruns: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """Read ``MALLARD_HOME`` (default ``./var``), ``MALLARD_CONFIGS`` (``./configs``) and ``MALLARD_MLRUNS``."""
        return cls(
            root=Path(os.environ.get("MALLARD_HOME", "var")),
            configs=Path(os.environ.get("MALLARD_CONFIGS", "configs")),
            mlruns=Path(os.environ.get("MALLARD_MLRUNS", "mlruns")),
        )

    @property
    def lake(self) -> Path:
        """Events, items, users, quarantine and the log of commits."""
        return self.root / "lake"

    @property
    def reports(self) -> Path:
        """Quality reports and other things written for people."""
        return self.root / "reports"

    @property
    def tags(self) -> Path:
        """Tag tables, one folder per build."""
        return self.root / "tags"

    @property
    def tag_rules(self) -> Path:
        """Tags written as rules, one file or more."""
        return self.configs / "tags"

    @property
    def snapshots(self) -> Path:
        """Immutable risk snapshots, one folder per scoring run."""
        return self.root / "snapshots"

    @property
    def tuning(self) -> Path:
        """What trials of settings came to, one database per kind of model."""
        return self.root / "tuning"

    @property
    def bundles(self) -> Path:
        """Deployed model bundles and the pointer to the live ones."""
        return self.root / "bundles"

    @property
    def online(self) -> Path:
        """The embedded online store: recent events, keys, consent."""
        return self.root / "online"

    @property
    def audit(self) -> Path:
        """Who asked for whose data, one file per day."""
        return self.root / "audit"

    @property
    def erasures(self) -> Path:
        """Erasures of people: what is under way, and the receipts."""
        return self.root / "erasures"

    @property
    def identity_key(self) -> Path:
        """The key under which identities are hashed, unless ``MALLARD_IDENTITY_KEY`` gives it."""
        return self.root / "identity.key"

    @property
    def identity_check(self) -> Path:
        """Tells whether a key is the one that identities were hashed with."""
        return self.root / "identity.check"
