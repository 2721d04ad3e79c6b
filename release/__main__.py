"""`python -m release`: what `make dist` runs. Freezes, packs, tries what was packed, makes wheel and source archive.

`python -m release pack try` takes these steps alone, of what the steps before left.
"""

import argparse
import sys

from release import archive, freeze, packages, trial
from release.project import ReleaseError

STEPS = {"freeze": freeze.main, "pack": archive.main, "try": trial.main, "packages": packages.main}


def main() -> None:
    """Make everything that this machine can make of a release, or say why not."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}; all of them where none is named")
    named = parser.parse_args().steps
    unknown = [name for name in named if name not in STEPS]
    if unknown:
        parser.error(f"there is no step {', '.join(unknown)}; there are {', '.join(STEPS)}")
    try:
        for name in named or STEPS:
            STEPS[name]()
    except ReleaseError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
