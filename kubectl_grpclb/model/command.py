"""Commands to copy: a shell takes each of their words as it is."""

import shlex

__all__ = ["command"]


def command(*words: str) -> str:
    """Write a command so that a shell takes each word as it is, whatever a cluster's names hold."""
    return shlex.join(words)
