"""Many ids, one user: keyed hashes of identities, the log of links between ids, and its resolution."""

from features.identity.aliases import canonical_users, merged_users, resolve
from features.identity.key import HASH_PREFIX, IdentityKey
from features.identity.kinds import STRONG_KINDS, Kind
from features.identity.links import LINK_SCHEMA, LOGIN_SCHEMA, LinkSource, merge_rows, unlink_row, unmerge_rows
from features.identity.users import hash_identities, hashed_identities, strong_identities

__all__ = [
    "HASH_PREFIX",
    "LINK_SCHEMA",
    "LOGIN_SCHEMA",
    "STRONG_KINDS",
    "IdentityKey",
    "Kind",
    "LinkSource",
    "canonical_users",
    "hash_identities",
    "hashed_identities",
    "merge_rows",
    "merged_users",
    "resolve",
    "strong_identities",
    "unlink_row",
    "unmerge_rows",
]
