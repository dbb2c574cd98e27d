"""From raw events to point-in-time tags. Imports nothing of Mallard's outside this package."""

#: Marks this package as Mallard's own; see :func:`features.contracts.identity.check_packages`.
__mallard__ = True
