"""Who may ask, how often, and the record of who asked about whom. Knows nothing of the web framework."""
