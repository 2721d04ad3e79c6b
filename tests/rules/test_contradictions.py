"""Sources that tell different things of the same pod."""

from kubectl_grpclb.rules import analyse
from tests.rules.builders import calls, channelz, codes, connection, facts, lasting, metered, pod, sockets, the


def test_sources_that_count_other_calls_of_the_same_pod_contradict() -> None:
    both = (calls(400), calls(100, "metrics"))

    report = analyse(facts([pod(number, lasting(1), counted=both) for number in (11, 12)]))
    found = the(report, "GLB904")

    assert codes(report) == ["GLB904"]
    assert (found.severity, found.confidence) == ("info", "medium")
    assert found.evidence[0] == "greeter-7c9f8d5b6-00011: 80.0 calls a second by channelz, 20.0 by metrics"


def test_the_source_that_the_report_goes_by_is_named_first() -> None:
    both = pod(11, lasting(1), counted=(calls(400), calls(100, "metrics")))

    found = the(analyse(facts([both, metered(12, 100, lasting(1))])), "GLB904")

    assert found.evidence == ("greeter-7c9f8d5b6-00011: 20.0 calls a second by metrics, 80.0 by channelz",)


def test_counts_that_chance_sets_apart_do_not_contradict() -> None:
    both = (calls(60), calls(45, "metrics"))

    assert codes(analyse(facts([pod(number, lasting(1), counted=both) for number in (11, 12)]))) == []


def test_few_calls_and_calls_of_a_life_and_prometheus_do_not_contradict() -> None:
    few = (calls(40), calls(0, "metrics"))
    life = (calls(400), calls(90_000, "metrics", seconds=0.0))
    range_ = (calls(400), calls(100, "prometheus", seconds=300.0))

    report = analyse(facts([pod(number, lasting(1), counted=each) for number, each in enumerate((few, life, range_))]))

    assert "GLB904" not in codes(report)


def test_no_calls_at_all_do_not_contradict() -> None:
    none = (calls(0), calls(0, "metrics"))

    assert codes(analyse(facts([pod(number, lasting(1), counted=none) for number in (11, 12)]))) == []


def test_sources_that_see_other_connections_contradict() -> None:
    seen = pod(11, channelz(*[connection()] * 2), others=(lasting(9),))

    found = the(analyse(facts([seen, pod(12, lasting(2))])), "GLB904")

    assert found.evidence == ("greeter-7c9f8d5b6-00011: 2 connections that lasted by channelz, 9 by netstat",)


def test_connections_that_come_and_go_do_not_contradict() -> None:
    passing = sockets([connection(), *[connection(lasting=False)] * 6])

    assert "GLB904" not in codes(analyse(facts([pod(11, lasting(1), others=(passing,)), pod(12, lasting(1))])))
