"""`python -m kubectl_grpclb` and the command `kubectl-grpclb`."""

import gc

# Importing leaves no garbage behind, and looking for it meanwhile costs a seventh of the start-up.
gc.disable()

from kubectl_grpclb.cli import main  # noqa: E402 -- after the line above

__all__ = ["main"]

if __name__ == "__main__":
    main()
