"""Whose the native libraries in a frozen program are, and under which licences.

A freezer takes along what the linker names, also from the system that it runs on. So every library must be known:
from a Python package, from Python itself, or by the table below. An unknown one ends the build, since nobody has said
that it may be distributed with this program; GNU readline and gdbm, for example, may not.
"""

import fnmatch
import pathlib
import sys
import sysconfig

import msgspec

from release.distributions import bundled_distributions
from release.project import ReleaseError

__all__ = ["LIBRARIES", "Library", "bundled_libraries", "check_native_libraries"]


class Library(msgspec.Struct, frozen=True):
    """A native library that is neither Python's nor a Python package's."""

    name: str
    licence: str
    """As SPDX writes it (spdx.org/licenses)."""
    home: str
    files: tuple[str, ...]
    """Patterns of its files' names."""
    texts: tuple[str, ...] = ()
    """Where Debian and RPM keep its licence; a pattern for paths from the root."""


def _texts(debian: str, rpm: str) -> tuple[str, ...]:
    return (f"usr/share/doc/{debian}/copyright", f"usr/share/licenses/{rpm}/*")


LIBRARIES = (
    Library(
        "OpenSSL",
        "Apache-2.0 (3.x), OpenSSL (1.1)",
        "https://openssl-library.org",
        ("libssl.so*", "libcrypto.so*", "libssl-*.dll", "libcrypto-*.dll", "libssl.*dylib", "libcrypto.*dylib"),
        _texts("libssl[13]*", "openssl-libs"),
    ),
    Library("zlib", "Zlib", "https://zlib.net", ("libz.so*", "libz.*dylib", "zlib1.dll"), _texts("zlib1g", "zlib")),
    Library(
        "bzip2",
        "bzip2-1.0.6",
        "https://sourceware.org/bzip2",
        ("libbz2.so*", "libbz2.*dylib"),
        _texts("libbz2-1.0", "bzip2-libs"),
    ),
    Library(
        "XZ Utils (liblzma)",
        "0BSD",
        "https://tukaani.org/xz",
        ("liblzma.so*", "liblzma.*dylib"),
        _texts("liblzma5", "xz-libs"),
    ),
    Library(
        "Zstandard",
        "BSD-3-Clause",
        "https://facebook.github.io/zstd",
        ("libzstd.so*", "libzstd.*dylib"),
        _texts("libzstd1", "libzstd"),
    ),
    Library(
        "libffi",
        "MIT",
        "https://sourceware.org/libffi",
        ("libffi.so*", "libffi*.dll", "libffi.*dylib"),
        _texts("libffi[78]*", "libffi"),
    ),
    Library(
        "libuuid",
        "BSD-3-Clause",
        "https://github.com/util-linux/util-linux",
        ("libuuid.so*",),
        _texts("libuuid1*", "libuuid"),
    ),
    Library(
        "Expat", "MIT", "https://libexpat.github.io", ("libexpat.so*", "libexpat.*dylib"), _texts("libexpat1", "expat")
    ),
    Library(
        "SQLite",
        "blessing",
        "https://sqlite.org",
        ("libsqlite3.so*", "libsqlite3.*dylib", "sqlite3.dll"),
        _texts("libsqlite3-0", "sqlite-libs"),
    ),
    Library(
        "mpdecimal",
        "BSD-2-Clause",
        "https://www.bytereef.org/mpdecimal",
        ("libmpdec.so*", "libmpdec.*dylib"),
        _texts("libmpdec3", "mpdecimal"),
    ),
    Library(
        "GCC runtime",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        "https://gcc.gnu.org",
        ("libgcc_s.so*", "libstdc++.so*"),
        _texts("libgcc-s1", "libgcc"),
    ),
    Library(
        "Microsoft C runtime",
        "LicenseRef-Microsoft-Visual-Studio-redistributable",
        "https://visualstudio.microsoft.com/license-terms",
        ("vcruntime140*.dll", "msvcp140*.dll", "ucrtbase.dll", "api-ms-win-*.dll"),
    ),
)

_ENDINGS = (".so", ".so.*", ".dylib", ".dll", ".pyd")


def check_native_libraries(frozen: pathlib.Path) -> None:
    """Refuse a frozen program with a native library that nobody knows.

    Raises:
        ReleaseError: there is one.

    """
    names = _native_files(frozen)
    unknown = sorted(names - _of_python() - _of_packages() - _known(names))
    if unknown:
        raise ReleaseError(
            f"the frozen program has native libraries of unknown licence: {', '.join(unknown)}; leave them out, or say "
            "in LIBRARIES of release/native.py under which licence they may be distributed"
        )


def bundled_libraries(frozen: pathlib.Path) -> tuple[Library, ...]:
    """Tell which of LIBRARIES a frozen program has."""
    names = _native_files(frozen)
    return tuple(each for each in LIBRARIES if any(fnmatch.filter(names, pattern) for pattern in each.files))


def _native_files(frozen: pathlib.Path) -> set[str]:
    return {
        path.name
        for path in frozen.rglob("*")
        if path.is_file() and any(fnmatch.fnmatch(path.name, f"*{ending}") for ending in _ENDINGS)
    }


def _known(names: set[str]) -> set[str]:
    return {name for library in LIBRARIES for pattern in library.files for name in fnmatch.filter(names, pattern)}


def _of_python() -> set[str]:
    """List the files of Python itself: its library, and the modules of its standard library."""
    base = pathlib.Path(sysconfig.get_path("stdlib"))
    modules = {path.name for folder in ("lib-dynload", "../DLLs") for path in (base / folder).glob("*")}
    python = sysconfig.get_config_var("INSTSONAME") or sysconfig.get_config_var("LDLIBRARY") or ""
    windows = {"python3.dll", f"python3{sys.version_info.minor}.dll"}
    return {pathlib.PurePath(python).name} | windows | modules


def _of_packages() -> set[str]:
    return {path.name for found in bundled_distributions() for path in found.files or ()}
