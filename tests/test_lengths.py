"""No file grows until nobody reads it whole: the bounds are those of docs/contributing.md."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BOUNDS = {"kubectl_grpclb": 300, "bench": 300, "release": 300, "tests": 400}


@pytest.mark.parametrize(("folder", "bound"), BOUNDS.items())
def test_a_file_can_be_read_in_one_sitting(folder: str, bound: int) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / folder).rglob("*.py")}

    assert lengths
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > bound} == {}
