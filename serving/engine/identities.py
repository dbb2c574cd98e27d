"""Which users are one, as the lake knows it: so that a request under any of their ids is answered for the one."""

from collections import defaultdict

from features.lake import Lake


class KnownAs:
    """Merged users. :meth:`refresh` takes up merges of other processes; reading never waits for it."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._version = 0
        self._canonical: dict[str, str] = {}
        self._members: dict[str, tuple[str, ...]] = {}

    def refresh(self) -> None:
        """Read the lake's log of links when it has changed."""
        version = self._lake.links_version()
        if version == self._version:
            return
        canonical = self._lake.canonical_users()
        members: dict[str, list[str]] = defaultdict(list)
        for user, target in sorted(canonical.items()):
            members[target].append(user)
        self._members = {target: (target, *users) for target, users in members.items()}
        self._canonical, self._version = canonical, version

    @property
    def version(self) -> int:
        """Another one whenever merges were read anew."""
        return self._version

    def canonical(self, user_id: str) -> str:
        """The user that ``user_id`` counts for: itself unless it was merged into another."""
        return self._canonical.get(user_id, user_id)

    def members(self, user_id: str) -> tuple[str, ...]:
        """Every id of the user, the canonical one first."""
        canonical = self.canonical(user_id)
        return self._members.get(canonical, (canonical,))
