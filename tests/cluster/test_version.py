"""What the API server says of its version, and that nothing it says instead does any harm."""

from pathlib import Path

import pytest

from kubectl_grpclb.cluster import _version
from tests.cluster.api_server import Conversation, Handler, executes, hangs, refuses, says

TOLD = {"major": "1", "minor": "27+", "gitVersion": "v1.27.3-gke.100", "platform": "linux/amd64"}


def version(directory: Path, handler: Handler) -> object:
    return Conversation(directory, handler).run(lambda cluster: cluster.version())


def test_the_server_is_asked_for_what_it_calls_itself(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, TOLD))

    assert talk.run(lambda cluster: cluster.version()) == "v1.27.3-gke.100"
    assert [(each.method, each.path) for each in talk.requests] == [("GET", "/version")]


@pytest.mark.parametrize(
    "handler",
    [
        refuses(403, 'forbidden: User "ann" cannot get path "/version"'),
        refuses(401, "Unauthorized"),
        refuses(500, "etcd is gone"),
        says(200, "<html>Log in</html>"),
        says(200, "{"),
        says(200, "[" * 100_000),
        says(200, []),
        says(200, {"gitVersion": 1}),
        says(200, {}),
        executes(),
    ],
)
def test_whatever_it_answers_instead_is_no_version_and_no_error(tmp_path: Path, handler: Handler) -> None:
    assert version(tmp_path, handler) is None


def test_it_is_not_waited_for_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_version, "_SECONDS", 0.05)

    assert version(tmp_path, hangs) is None


def test_a_version_that_is_a_novel_is_cut_off(tmp_path: Path) -> None:
    told = version(tmp_path, says(200, {"gitVersion": "v1.27." + "9" * 1_000_000}))

    assert told == "v1.27." + "9" * 94
