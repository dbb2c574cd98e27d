"""From tags and interactions to judged, tracked and versioned models."""

__mallard__ = True
