"""A shop to change, whose receipts go into a folder of the test's own."""

from pathlib import Path

import pytest

from tests.fake_workshop import FakeWorkshop


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this machine's user keeps receipts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def drain_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the same path for every installation, so that they can be compared."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: "3q2-7wABAgMEBQYHCAkKCwwNDg8QERIT")


@pytest.fixture
def shop() -> FakeWorkshop:
    """The Service `greeter`, whose callers stick to one of three servers."""
    return FakeWorkshop()
