"""What completes a line."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.api_server import Handler
from tests.completion.completing import Complete, Completed, completed


@pytest.fixture
def complete(tmp_path: Path) -> Complete:
    """Completes a line as kubectl has it done, against these answers; it never fails and never complains."""

    def run(line: str, *handlers: Handler, seconds: float = 60, **user: Any) -> Completed:
        return asyncio.run(completed(tmp_path, line, handlers, user, seconds))

    return run
