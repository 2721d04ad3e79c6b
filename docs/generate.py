"""Write the parts of the documentation that follow from the program: `make docs`.

A test fails when one of them is stale.
"""

import pathlib
import sys
from collections.abc import Callable, Mapping

from docs.writers import findings, flags, languages, permissions, pictures, schemas

ROOT = pathlib.Path(__file__).parent.parent

GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/findings.md": findings.findings,
    "docs/languages.md": languages.languages,
    "docs/flags.md": flags.flags,
    "docs/permissions.md": permissions.permissions,
    "kubectl_grpclb/rules/glb902.md": permissions.page_of_refusals,
    "docs/schema/report.json": schemas.report,
    "docs/schema/report-list.json": schemas.report_list,
    "docs/schema/verification.json": schemas.verification,
    "docs/schema/snapshot.json": schemas.snapshot,
    "docs/images/diagnose.svg": pictures.diagnosis,
    "docs/images/wide.svg": pictures.everything,
    "docs/images/fix.svg": pictures.plan,
    "docs/images/verify.svg": pictures.verification,
}
"""Each generated file, from the project's root, and what gives its text."""


def main() -> None:
    """Write every generated file."""
    for name, content in GENERATED.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
