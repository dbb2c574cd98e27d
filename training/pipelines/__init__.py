"""From the lake to a judged, tracked bundle: one file per kind of model."""
