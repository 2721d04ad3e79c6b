"""Files that are replaced in one step."""

import stat
from pathlib import Path

import pytest

from kubectl_grpclb.files import write_atomically


def test_a_file_is_replaced_whole_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "shop.greeter.json"
    file.write_bytes(b"{}")

    write_atomically(file, b'{"step": "staged"}')

    assert file.read_bytes() == b'{"step": "staged"}'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_program_may_be_run_by_everybody(tmp_path: Path) -> None:
    write_atomically(tmp_path / "kubectl_complete-grpclb", b"#!/bin/sh\n", mode=0o755)

    assert stat.S_IMODE((tmp_path / "kubectl_complete-grpclb").stat().st_mode) == 0o755


def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "shop.greeter.json"
    folder.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_atomically(folder, b"{}")

    assert list(tmp_path.iterdir()) == [folder]
