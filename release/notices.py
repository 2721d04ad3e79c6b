"""The licences of what an archive brings along, in one text."""

import pathlib
import platform
import re
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution

from release.distributions import bundled_distributions
from release.native import Library, bundled_libraries
from release.project import ReleaseError

__all__ = ["NOTICES", "notices"]

NOTICES = "THIRD_PARTY_NOTICES.txt"

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
_HOME = re.compile(r"home|source|repo|code|github", re.IGNORECASE)
_RULE = "=" * 100

_OPENING = """\
kubectl-grpclb is under the Apache License 2.0, see LICENSE. This program also contains the work of others, each part
under its own licence: Python, {packages} Python packages, and native libraries. Their licences follow.
"""


def notices(frozen: pathlib.Path) -> str:
    """Write name, version, licence, home and licence texts of all that a frozen program contains of others.

    Raises:
        ReleaseError: something has no licence text.

    """
    packages = bundled_distributions()
    parts = [_OPENING.format(packages=len(packages)), _of_python()]
    parts += [_of_package(each) for each in packages]
    parts += [_of_library(each) for each in bundled_libraries(frozen)]
    return f"\n{_RULE}\n\n".join(parts)


def _part(name: str, licence: str, home: str, texts: Iterable[str]) -> str:
    once = dict.fromkeys(text.strip() for text in texts)
    if not once:
        raise ReleaseError(f"no licence text of {name} was found, and it must not be passed on without")
    return "\n\n".join([f"{name}\nLicence: {licence}\nHome: {home}", *once]) + "\n"


def _of_python() -> str:
    folders = (sysconfig.get_path("stdlib"), sysconfig.get_config_var("installed_base"))  # the second on Windows
    texts = [_read(path) for folder in folders if (path := pathlib.Path(folder, "LICENSE.txt")).is_file()]
    return _part(f"Python {platform.python_version()}", "PSF-2.0", "https://www.python.org", texts)


def _of_package(package: Distribution) -> str:
    classified = [line.rpartition(":: ")[2] for line in _told(package, "Classifier") if line.startswith("License ::")]
    licences = [*_told(package, "License-Expression"), *_told(package, "License"), ", ".join(classified), "see below"]
    homes = [*_told(package, "Home-page"), *_pages(package), f"https://pypi.org/project/{package.name}"]
    licence = next(each for each in licences if each).partition("\n")[0]
    return _part(f"{package.name} {package.version}", licence, homes[0], map(_read, _licence_files(package)))


def _told(package: Distribution, field: str) -> list[str]:
    return package.metadata.get_all(field) or []


def _licence_files(package: Distribution) -> Iterator[pathlib.Path]:
    """Find its licences wherever it keeps them: metadata from before PEP 639 does not name them."""
    for path in sorted(package.files or ()):
        if _LICENCE_FILE.search(path.name) and not path.name.endswith((".py", ".pyc", ".pyi", ".so")):
            yield pathlib.Path(str(package.locate_file(path)))


def _pages(package: Distribution) -> list[str]:
    """Give the addresses that its metadata lists, its home and its source first."""
    listed = [line.partition(", ") for line in _told(package, "Project-URL")]
    return [address for label, _, address in sorted(listed, key=lambda each: not _HOME.match(each[0]))]


def _of_library(library: Library, root: pathlib.Path = pathlib.Path("/")) -> str:
    found = [path for pattern in library.texts for path in sorted(root.glob(pattern)) if path.is_file()]
    texts = [_read(path) for path in found] or [f"Its text: {library.home}"]  # only Linux systems keep them
    return _part(f"{library.name} ({', '.join(library.files)})", library.licence, library.home, texts)


def _read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
