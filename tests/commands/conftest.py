"""A cluster in memory that every verb is connected with, and the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubectl_grpclb import cli
from tests.commands.line import Run
from tests.fake_workshop import FakeWorkshop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkshop:
    """What every verb is connected with."""
    workshop = FakeWorkshop()

    @asynccontextmanager
    async def connected(_: object) -> AsyncIterator[FakeWorkshop]:
        yield workshop

    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect", connected)
    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect_to_change", connected)
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return workshop


@pytest.fixture
def grpclb(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line; gives exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["kubectl-grpclb", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return run
