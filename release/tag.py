"""Whether a tag fits what would be released: `python -m release.tag v0.1.0` prints what is new in it, or fails."""

import re
import sys

from release.project import ROOT, ReleaseError, version

__all__ = ["main", "news"]

_SECTION = re.compile(
    r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)


def news(tag: str, of_version: str, changelog: str) -> str:
    """Give what the changelog says of the version that a tag names.

    Raises:
        ReleaseError: tag, program and changelog do not speak of the same version, or something is left unreleased.

    """
    if tag != f"v{of_version}":
        raise ReleaseError(f"the tag is {tag}, but kubectl_grpclb/__init__.py says {of_version}: tag v{of_version}")
    sections = {found["name"]: found for found in _SECTION.finditer(changelog)}
    unreleased = sections.pop("Unreleased", None)
    if unreleased is not None and unreleased["text"].strip():
        raise ReleaseError(f"CHANGELOG.md has changes under Unreleased: give them to [{of_version}], with its date")
    newest = next(iter(sections.values()), None)
    if newest is None or newest["name"] != of_version or newest["date"] is None:
        raise ReleaseError(f"CHANGELOG.md does not begin with '## [{of_version}] - ' and a date such as 2026-12-01")
    return newest["text"].strip() + "\n"


def main() -> None:
    """Check the tag that is given.

    Raises:
        SystemExit: it does not fit.

    """
    if len(sys.argv) != 2:
        sys.exit("usage: python -m release.tag TAG")
    try:
        print(news(sys.argv[1], version(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), end="")
    except ReleaseError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
