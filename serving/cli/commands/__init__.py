"""One file per command. Each composes functions of the packages below and says what came of it."""
