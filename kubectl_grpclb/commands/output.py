"""Standard output, as every verb writes to it."""

import sys

__all__ = ["write"]


def write(text: str) -> None:
    """Write to standard output, whole, also where a name has characters that its encoding lacks."""
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
    sys.stdout.flush()
