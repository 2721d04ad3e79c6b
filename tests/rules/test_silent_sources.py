"""Sources that the user asked by name, and that give no number of a pod's calls."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.command import Aim, SourceFlags
from kubectl_grpclb.model.facts import Pod, Source
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.rules import analyse
from tests.rules.builders import UNREADABLE, calls, codes, facts, lasting, metered, pod, the

NOWHERE = Gap(GapReason.NOT_SERVED, "nothing says where its metrics are")
LATE = Gap(GapReason.TIMED_OUT, "no answer within 10 s")


def silent(number: int, gap: Gap = NOWHERE, source: Source = "metrics") -> Pod:
    return pod(number, lasting(1), silent={source: gap})


def test_metrics_that_were_asked_for_and_are_nowhere_are_told_with_the_pods() -> None:
    found = the(analyse(facts([silent(11), silent(12), silent(13, LATE)], via=("metrics",))), "GLB905")

    assert (found.severity, found.confidence) == ("info", "high")
    assert found.message == (
        "Metrics say nothing about the calls of 3 of 3 ready pods, which does not mean that there are none. "
        "--metrics-port and --metrics-path say where they are."
    )
    assert found.evidence == (
        "greeter-7c9f8d5b6-00011 and greeter-7c9f8d5b6-00012 (metrics): nothing says where its metrics are",
        "greeter-7c9f8d5b6-00013 (metrics): no answer within 10 s",
    )


def test_a_source_that_answers_for_other_pods_is_told_for_those_that_it_does_not() -> None:
    found = the(analyse(facts([metered(11, 300, lasting(1)), silent(12)], via=("metrics", "exec"))), "GLB905")

    assert found.message.startswith("Metrics say nothing about the calls of 1 of 2 ready pods")
    assert found.next == ()


@pytest.mark.parametrize("flags", [SourceFlags(metrics_port="x"), SourceFlags(metrics_path="/stats")])
def test_a_source_whose_own_flag_was_given_is_told_too(flags: SourceFlags) -> None:
    aim = Aim("shop", "greeter", sources=flags)

    assert "GLB905" in codes(analyse(facts([silent(11)], aim=aim)))
    assert "GLB905" not in codes(analyse(facts([silent(11)])))


def test_the_way_out_of_a_flag_that_leads_nowhere_is_without_it() -> None:
    aim = Aim("shop", "greeter", sources=SourceFlags(metrics_port="x"))
    unread = [replace(silent(11), sockets=UNREADABLE), replace(silent(12), sockets=UNREADABLE)]

    found = the(analyse(facts(unread, via=("metrics",), aim=aim)), "GLB905")

    assert found.next == ("kubectl grpclb diagnose greeter -n shop",)


def test_a_source_that_does_not_answer_in_time_is_told_in_its_words_alone() -> None:
    found = the(analyse(facts([silent(11, LATE)], via=("metrics",))), "GLB905")

    assert found.message.endswith("there are none.")


def test_a_gap_without_words_is_told_by_its_reason() -> None:
    found = the(analyse(facts([silent(11, Gap(GapReason.DIED))], via=("metrics",))), "GLB905")

    assert found.evidence == ("greeter-7c9f8d5b6-00011 (metrics): died",)


def test_channelz_that_is_not_served_is_told_with_what_it_takes() -> None:
    gap = Gap(GapReason.NOT_SERVED, "unknown service grpc.channelz.v1.Channelz")

    found = the(analyse(facts([silent(11, gap, "channelz")], via=("auto", "channelz"))), "GLB905")

    assert found.message.startswith("channelz says nothing about the calls of 1 of 1 ready pods")
    assert "--channelz-port" in found.message
    assert "--tls" in found.message


def test_several_sources_are_told_each() -> None:
    gap = Gap(GapReason.NOT_SERVED, "Prometheus has no known counter of the pod's calls for 300 s")
    both = pod(11, lasting(1), silent={"metrics": NOWHERE, "prometheus": gap})

    report = analyse(facts([both], via=("metrics", "prometheus")))
    found = the(report, "GLB905")

    assert codes(report).count("GLB905") == 1
    assert "Metrics say nothing" in found.message
    assert "Prometheus says nothing" in found.message
    assert found.evidence[1] == f"greeter-7c9f8d5b6-00011 (prometheus): {gap.detail}"


def test_a_source_that_nobody_named_is_passed_over() -> None:
    assert "GLB905" not in codes(analyse(facts([silent(11), silent(12, source="channelz")], via=("auto", "exec"))))


def test_what_was_counted_or_is_not_ready_is_not_told() -> None:
    away = pod(12, lasting(0), ready=False, silent={"metrics": NOWHERE})

    assert "GLB905" not in codes(analyse(facts([metered(11, 300, lasting(1)), away], via=("metrics",))))


def test_what_may_not_be_asked_is_left_to_the_finding_about_permissions() -> None:
    gap = Gap(GapReason.FORBIDDEN, "pods/proxy is forbidden")

    assert "GLB905" not in codes(analyse(facts([silent(11, gap)], via=("metrics",))))


@pytest.mark.parametrize(
    ("via", "following"), [(("metrics",), ("kubectl grpclb diagnose greeter -n shop",)), (("auto", "metrics"), ())]
)
def test_where_nothing_else_was_asked_the_others_are_next(via: tuple[str, ...], following: tuple[str, ...]) -> None:
    unknown = [pod(number, LATE, silent={"metrics": NOWHERE}) for number in (11, 12)]

    report = analyse(facts(unknown, via=via))

    assert report.verdict == "inconclusive"
    assert the(report, "GLB905").next == following


def test_where_others_told_enough_nothing_is_next() -> None:
    told = [pod(number, lasting(1), counted=(calls(300),), silent={"metrics": NOWHERE}) for number in (11, 12)]

    assert the(analyse(facts(told, via=("metrics", "channelz"))), "GLB905").next == ()
