"""What the frozen program runs: the command, or one process of the lab.

The freezer takes this file for its script. A frozen program has no interpreter beside it: where the lab starts one
with `-P -m kubectl_grpclb.lab.…`, it starts this program, which runs that module.
"""

import os
import sys
from collections.abc import MutableMapping, Sequence

__all__ = ["clean", "lab_module", "main"]

_LAB = "kubectl_grpclb.lab."


def clean(environment: MutableMapping[str, str]) -> None:
    """Take out what PyInstaller's launcher puts in for this process alone.

    Credential plugins and kubectl would otherwise be run with this program's libraries, and the lab's processes would
    take themselves for a part of this one (PyInstaller's manual, "LD_LIBRARY_PATH / LIBPATH considerations").
    """
    for name in [name for name in environment if name.startswith("_PYI_")]:
        del environment[name]
    if sys.platform != "linux":
        return  # the launcher sets no such path there, so it is the user's
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    environment.pop("LD_LIBRARY_PATH", None)
    if before:
        environment["LD_LIBRARY_PATH"] = before


def lab_module(words: Sequence[str]) -> str | None:
    """Give the lab's module that an interpreter would run with these words; None where they are the command's."""
    match words:
        case ["-P", "-m", module, *_] if module.startswith(_LAB):
            return module
    return None


def main() -> None:
    """Run what the words say."""
    clean(os.environ)
    module = lab_module(sys.argv[1:])
    if module is None:
        from kubectl_grpclb.__main__ import main as command

        command()
    else:
        import runpy

        del sys.argv[1:4]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
