"""Golden files: what a format gave when somebody last read and accepted it."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent.parent / "golden" / "report"


@pytest.fixture
def golden(update_goldens: bool) -> Callable[[str, str], str]:
    """Give a file's text, which with `--update` is first made what the test got."""

    def accepted(name: str, got: str) -> str:
        path = GOLDEN / name
        if update_goldens:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(got.encode("utf-8"))
        return path.read_bytes().decode("utf-8")

    return accepted
