"""The command ``mallard``: one file per command, each imported only when it is called.

This package imports nothing heavy, so that ``mallard --help`` answers at once; commands import what they compose.
"""

from serving.cli.program import main, program

__all__ = ["main", "program"]
