"""From bundles to answers: engine, rules, online state, marketing lists, HTTP and the command line."""

__mallard__ = True
