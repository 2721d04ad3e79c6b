"""What all the sources together say of a pod's calls, and which of them say nothing."""

import msgspec

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.loads import loads_of
from tests.shop import PODS, pod

SERVER = Backend(
    PODS[0], ("10.244.0.11",), None, True, True, False, None, None, msgspec.convert(pod(PODS[0], "1.2.3.4"), kube.Pod)
)


def test_a_source_that_nobody_named_and_that_was_not_asked_is_not_silent() -> None:
    assert loads_of([], Ask("shop", "greeter"), SERVER).silent == {}


def test_sources_that_were_named_and_could_not_be_asked_are_silent() -> None:
    silent = loads_of([], Ask("shop", "greeter", via=("channelz", "metrics")), SERVER).silent

    assert set(silent) == {"channelz", "metrics"}
    assert silent["channelz"] == Gap(GapReason.UNREAD, "channelz was not asked: there is no pod that runs, or no port")
