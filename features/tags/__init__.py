"""User tags: one file per family, one declaration per tag.

A new tag is one declaration in the file of its family; a new family is one new file here. Nothing else is edited:
:func:`catalogue` finds them.
"""

from features.tags.spec import Tag, catalogue, tag
from features.tags.spec.fingerprint import spec_hash

__all__ = ["Tag", "catalogue", "spec_hash", "tag"]
