"""What each source was asked, how many answered, and what it cost."""

from typing import Any

import pytest

from kubectl_grpclb.model.channelz import ChannelzLook
from kubectl_grpclb.model.facts import SourceUse
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.look import LOOK
from kubectl_grpclb.model.snapshot import (
    Answer,
    AskChannelz,
    AskEnvoy,
    AskPrometheus,
    Blob,
    Channelz,
    Exec,
    Get,
    List,
    LookFromNode,
    Objects,
    OpenUp,
    Output,
    Reading,
    Refused,
    Request,
    Scrape,
)
from kubectl_grpclb.probes.uses import uses_of
from tests.fake_cluster import printed

REFUSED = Refused(GapReason.NOT_SERVED, "no")


def exec_(pod: str = "a", container: str = "main") -> Exec:
    return Exec("shop", pod, container, ("sh",), 25.0)


def scrape(pod: str = "a") -> Scrape:
    return Scrape("shop", pod, 9090, "/metrics", (), 10.0)


def channelz(pod: str = "a", window: float = 5.0) -> AskChannelz:
    return AskChannelz("shop", pod, 50051, window, 15.0)


def used(*told: tuple[Request, Answer] | tuple[Request, Answer, float]) -> list[SourceUse]:
    readings = [Reading(each[0], each[1], "2026-11-23T12:00:00Z", (*each, 0.5)[2]) for each in told]
    return list(uses_of(readings))


def use(*told: Any) -> SourceUse:
    (found,) = used(*told)
    return found


def test_a_pod_that_is_asked_twice_is_one_pod() -> None:
    found = use((scrape("a"), printed("12"), 0.1), (scrape("b"), printed("1234"), 0.3), (scrape("a"), printed("12")))

    assert found == SourceUse("metrics", asked=2, answered=2, requests=3, seconds=0.5, bytes=8)


def test_who_answered_once_has_answered() -> None:
    assert use((channelz(window=0.0), Channelz((ChannelzLook(),))), (channelz(), REFUSED)).answered == 1


def test_pods_of_the_same_name_in_two_namespaces_are_two() -> None:
    other = AskChannelz("billing", "a", 50051, 0.0, 10.0, role="client")

    assert use((channelz(), REFUSED), (other, REFUSED)).asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        REFUSED,
        printed("whole", exit_code=1),
        Output(Blob(text="half"), gap=GapReason.DIED, exit_code=0),
        Channelz((), GapReason.TIMED_OUT, "slow"),
    ],
)
def test_what_is_refused_or_not_whole_is_no_answer(answer: Answer) -> None:
    assert use((scrape(), answer)).answered == 0


@pytest.mark.parametrize(
    ("request_", "source"),
    [
        (scrape(), "metrics"),
        (channelz(), "channelz"),
        (AskEnvoy("shop", "e", "/clusters", 10.0), "envoy"),
        (AskPrometheus("svc/m/p:9090", "up", 10.0), "prometheus"),
        (LookFromNode("shop", "node-a", "busybox", ("sh",), 25.0), "node"),
        (OpenUp("shop", "a", LOOK, "busybox"), "debug"),
        (exec_(container=LOOK), "debug"),
        (exec_(container=f"{LOOK}-2"), "debug"),
        (exec_(), "exec"),
        (List("podmetrics", "shop"), "metrics-api"),
    ],
)
def test_every_request_belongs_to_a_source(request_: Request, source: str) -> None:
    assert use((request_, REFUSED)).source == source


def test_reading_the_clusters_objects_is_no_source() -> None:
    assert used((List("pods", "shop"), Objects(())), (Get("services", "greeter", "shop"), Objects(()))) == []


def test_of_prometheus_the_questions_are_counted() -> None:
    first, second = (AskPrometheus("svc/m/p:9090", query, 10.0) for query in ("up", "rate(x[5m])"))

    assert use((first, printed("{}")), (second, REFUSED)) == SourceUse("prometheus", 2, 1, 2, 0.5, 2)


def test_bytes_in_base64_are_counted_as_they_were() -> None:
    assert use((exec_(), Output(Blob.of(b"\xff" * 300), exit_code=0))).bytes == 300


def test_sources_are_in_one_order_whichever_was_asked_first() -> None:
    found = used((exec_(), REFUSED), (channelz(), REFUSED), (List("podmetrics"), REFUSED), (scrape(), REFUSED))

    assert [each.source for each in found] == ["metrics", "channelz", "exec", "metrics-api"]
