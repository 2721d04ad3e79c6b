"""A small frozen program: little in it, but laid out and linked as a freezer leaves it."""

import os
import pathlib

from release.platforms import Platform

RELEASED_AT = 1_795_000_000
"""2026-11-18."""


def freeze(folder: pathlib.Path, platform: Platform) -> pathlib.Path:
    """Lays out a program for this system, with its libraries, links among them, and a rule's page."""
    inside = folder / "_internal"
    pages = inside / "kubectl_grpclb" / "rules"
    pages.mkdir(parents=True)
    _write(folder / platform.program, b"\x7fELF the program", 0o755)
    _write(inside / "libssl.so.3", b"\x7fELF TLS", 0o755)
    _write(inside / "base_library.zip", b"PK the standard library", 0o644)
    _write(pages / "glb101.md", b"# Connections stick to a few pods\n", 0o664)
    (inside / "libssl.so").symlink_to("libssl.so.3")
    os.link(inside / "libssl.so.3", inside / "libssl.so.3.0")
    (inside / "Current").symlink_to("kubectl_grpclb", target_is_directory=True)
    return folder


def _write(path: pathlib.Path, content: bytes, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)
