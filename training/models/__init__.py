"""One model per file beside its typed configuration: how it is fitted, how it scores, how it becomes arrays."""
