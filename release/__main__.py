"""`python -m release`: freezes, packs, tries it, and makes wheel and source archive. What `make dist` runs."""

import sys

from release import archive, freeze, packages, trial
from release.project import ReleaseError


def main() -> None:
    """Make everything that this machine can make of a release, or say why not."""
    try:
        freeze.main()
        archive.main()
        trial.main()
        packages.main()
    except ReleaseError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
