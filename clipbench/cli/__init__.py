"""The command line: parse, call, print. What a command computes is computed by the rooms below."""

from clipbench.cli.program import main

__all__ = ["main"]
