"""The command line as tests run it."""

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]
"""Words of a command line; gives exit code, standard output and standard error."""
