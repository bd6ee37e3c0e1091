"""The command line. ``main`` is what the console script runs."""

from vmaftune.cli.main import main

__all__ = ["main"]
