"""Files on this machine that are whole at every moment."""

import os
from pathlib import Path
from tempfile import mkstemp

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file in one step, so that a reader finds the old content or the new. Raises OSError.

    `mode` is its permissions; nobody but its owner may read it where that is not said. What ends the writing, Ctrl-C
    too, leaves the file as it was and nothing beside it.
    """
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
