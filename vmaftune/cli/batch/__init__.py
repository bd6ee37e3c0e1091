"""``vmaf-tune batch``: many files, and looking after the queue that they stand in."""

from vmaftune.cli.batch.run import command

__all__ = ["command"]
