"""`python -m kubectl_grpclb` and the command `kubectl-grpclb`."""

from kubectl_grpclb.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
