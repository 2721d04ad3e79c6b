"""A snapshot as it is written: to a terminal, to a pipe, to a file."""

import io
import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from kubectl_grpclb.commands.show import page, write_snapshot
from kubectl_grpclb.model.snapshot import Snapshot, decode_snapshot
from tests.fake_cluster import printed
from tests.probes.asked import read
from tests.shop import PODS, sticky

STEERING = "\x1b\x7f\x9b\x9d\x9c\u202e\u2028\U000e0001"


@pytest.fixture
def hostile() -> Snapshot:
    """What was read where a pod prints what clears the screen, sets the window's title and reorders text."""
    return read(sticky(looks={PODS[1]: printed(f"挨拶 é \U0001f600 \x9b2J \x9d0;pwn\x9c {STEERING}")}))


def written(snapshot: Snapshot, encoding: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Give what comes out of standard output in an encoding."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding=encoding))
    write_snapshot(Path("-"), snapshot)
    return raw.getvalue()


def test_a_snapshot_reaches_a_terminal_without_what_would_steer_it(
    hostile: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = written(hostile, "utf-8", monkeypatch).decode()

    assert not set(STEERING) & set(shown)
    assert "挨拶 é" in shown
    assert decode_snapshot(shown.encode()) == hostile


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_snapshot_is_the_same_whatever_the_terminal_can_show(
    hostile: Snapshot, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decode_snapshot(written(hostile, encoding, monkeypatch)) == hostile


def test_a_file_is_as_safe_to_look_through_and_holds_the_same(hostile: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "greeter.json"

    write_snapshot(file, hostile)

    assert not set(STEERING) & set(file.read_text(encoding="utf-8"))
    assert decode_snapshot(file.read_bytes()) == hostile


def test_a_new_file_is_its_owners_alone(hostile: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "greeter.json"

    write_snapshot(file, hostile)

    assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_a_file_that_is_there_keeps_its_mode(hostile: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "greeter.json"
    file.write_text("an older one")
    file.chmod(0o664)

    write_snapshot(file, hostile)

    assert oct(file.stat().st_mode & 0o777) == "0o664"
    assert decode_snapshot(file.read_bytes()) == hostile


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays_one(hostile: Snapshot, tmp_path: Path, there: bool) -> None:
    (tmp_path / "kept").mkdir()
    target, link = tmp_path / "kept" / "greeter.json", tmp_path / "greeter.json"
    target.write_text("an older one") if there else None
    link.symlink_to("kept/greeter.json")

    write_snapshot(link, hostile)

    assert link.is_symlink()
    assert decode_snapshot(target.read_bytes()) == hostile


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A terminal of 72 columns, in whose shell nothing says how wide it is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 72))
    with open(theirs, "w", encoding="utf-8") as stream:  # noqa: PTH123 -- it has no path
        yield stream
    os.close(ours)


def test_a_page_is_as_wide_as_the_terminal_that_it_is_written_to(narrow: TextIO, tmp_path: Path) -> None:
    with (tmp_path / "greeter.yaml").open("w") as file:
        assert (page(narrow).width, page(file).width) == (72, 120)


def test_a_page_is_as_wide_as_the_user_says(narrow: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert page(narrow).width == 60


@pytest.mark.parametrize("columns", ["0", "-1", "wide", ""])
def test_a_width_that_is_none_is_not_taken(narrow: TextIO, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert page(narrow).width == 72


def test_a_stream_that_is_no_file_is_as_wide_as_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)

    assert page(io.StringIO()).width == 120
