"""`python -m kubectl_grpclb` and the commands `kubectl-grpclb` and `kubectl_complete-grpclb`."""

import gc
import sys

# Importing leaves no garbage behind, and looking for it meanwhile costs a seventh of the start-up.
gc.disable()

try:
    from kubectl_grpclb.cli import main
except KeyboardInterrupt:  # before there is a main() that says so
    sys.stderr.write("error: interrupted\n")
    raise SystemExit(130) from None

__all__ = ["complete", "main"]


def complete() -> None:
    """Run as `kubectl_complete-grpclb`, which kubectl asks for what may follow `kubectl grpclb`; pip installs it."""
    sys.argv.insert(1, "__complete")
    main()


if __name__ == "__main__":
    main()
