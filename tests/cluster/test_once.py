"""A connection that breaks: a read is made once more, and a change is not, since it may have been made."""

from pathlib import Path

import pytest

from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.snapshot import List, Objects
from kubectl_grpclb.model.write import Delete, Insert, PatchObject, Replace, Write
from tests.cluster.api_server import Conversation, cuts, says

PODS = List("pods", "shop")
LEASE = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
A_LIST = says(200, {"kind": "PodList", "metadata": {}, "items": []})


def test_a_read_whose_connection_breaks_is_made_once_more(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, cuts, A_LIST)

    assert talk.ask(PODS) == Objects(items=())
    assert len(talk.requests) == 2


def test_a_read_whose_connection_breaks_twice_ends_everything(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, cuts)

    with pytest.raises(ClusterError, match="the connection broke"):
        talk.ask(PODS)

    assert len(talk.requests) == 2


@pytest.mark.parametrize(
    "write",
    [
        Delete("configmaps", "shop", "greeter-grpclb-receipt", "uid-1"),
        Replace({**LEASE, "metadata": {"name": "greeter-grpclb", "resourceVersion": "7"}}, "shop"),
        Insert({**LEASE, "metadata": {"name": "greeter-grpclb"}}, "shop"),
        PatchObject("services", "shop", "greeter", []),
    ],
)
def test_a_change_whose_connection_breaks_is_not_made_again(tmp_path: Path, write: Write) -> None:
    talk = Conversation(tmp_path, cuts)

    with pytest.raises(ClusterError, match=r"the connection broke \(Server disconnected\)"):
        talk.run(lambda cluster: cluster.write(write))

    assert len(talk.requests) == 1
