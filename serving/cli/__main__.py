"""``python -m serving.cli`` is ``mallard``."""

from serving.cli.program import main

if __name__ == "__main__":
    main()
