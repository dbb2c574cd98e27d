"""``mallard bench``: any data set that a YAML file describes, every baseline, one table."""
