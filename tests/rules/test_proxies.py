"""Envoys of others in front, by what they say of this Service's servers."""

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.rules import analyse
from tests.rules.builders import (
    HEADLESS,
    behind,
    carrying,
    codes,
    connection,
    facts,
    lasting,
    of_counts,
    pod,
    proxy,
    proxy_host,
    sockets,
    the,
    told,
)

DIALS = proxy(proxy_host(None))
SOME = proxy(proxy_host(11), proxy_host(12))


def test_a_proxy_that_dials_the_service_leads_with_what_it_says_itself() -> None:
    report = analyse(of_counts(2, 0, 0, proxies=(DIALS,)))
    found = the(report, "GLB302")

    assert codes(report) == ["GLB302", "GLB101", "GLB102"]
    assert (found.severity, found.confidence) == ("error", "high")
    assert found.message.startswith(
        "caller-5d6c7b8f9-21 sends to the Service's own address and not to its 3 pods, so there is only one host to "
        "choose from"
    )
    assert "greeter-headless.shop.svc.cluster.local:50051 with STRICT_DNS and ROUND_ROBIN" in found.message
    (evidence,) = found.evidence
    assert evidence == (
        "caller-5d6c7b8f9-21 (Deployment/caller): its host 10.96.0.10:80 is the Service's own address; 2 connections "
        "to it, 250 requests since it has known it (Envoy's admin interface)"
    )
    assert found.next[0].startswith("kubectl expose service greeter -n shop --name=greeter-headless")


def test_as_long_as_load_is_even_it_is_a_note() -> None:
    report = analyse(of_counts(3, 3, 3, proxies=(DIALS,)))

    assert codes(report) == ["GLB302"]
    assert report.findings[0].severity == "info"


def test_a_proxy_that_is_one_client_of_many_does_not_lead() -> None:
    peers = ["10.244.1.21", *(f"10.244.1.{number}" for number in range(30, 39))]
    pods = [pod(11, sockets([connection(peer) for peer in peers])), pod(12, lasting(0))]

    assert codes(analyse(facts(pods, proxies=(DIALS,)))) == ["GLB101", "GLB302"]


def test_two_proxies_are_one_finding() -> None:
    other = replace(DIALS, name="caller-5d6c7b8f9-22")
    found = the(analyse(of_counts(2, 0, 0, proxies=(DIALS, other))), "GLB302")

    assert found.message.startswith("caller-5d6c7b8f9-21 and caller-5d6c7b8f9-22 send to the Service's own address")
    assert len(found.evidence) == 2


@pytest.mark.parametrize(
    "found",
    [
        of_counts(2, 0, 0),
        of_counts(2, proxies=(DIALS,)),
        of_counts(2, 0, 0, proxies=(proxy(proxy_host(None, requests=0, connections=0)),)),
        of_counts(2, 0, 0, proxies=(proxy(proxy_host(11), proxy_host(12), proxy_host(13)),)),
        behind([pod(11, lasting(2)), pod(12, lasting(0))], proxies=(DIALS, SOME)),
    ],
    ids=["no proxy", "one pod", "unused", "all pods", "behind a fix"],
)
def test_a_proxy_that_does_no_harm_is_no_finding(found: Facts) -> None:
    assert not {"GLB302", "GLB303"} & set(codes(analyse(found)))


def test_pods_that_a_proxy_lacks_are_named() -> None:
    report = analyse(of_counts(1, 1, 0, 0, proxies=(SOME,)))
    found = the(report, "GLB303")

    assert codes(report)[0] == "GLB303"
    assert (found.severity, found.confidence) == ("warning", "high")
    assert found.message.startswith(
        "caller-5d6c7b8f9-21 does not know 2 of 4 ready pods (greeter-7c9f8d5b6-00013 and greeter-7c9f8d5b6-00014) and "
        "sends nothing there."
    )
    assert found.evidence[0] == (
        "caller-5d6c7b8f9-21 (Deployment/caller): knows greeter-7c9f8d5b6-00011 at 10.244.0.11:50051, 2 connections, "
        "250 requests since it has known it (Envoy's admin interface)"
    )


def test_a_proxy_of_a_headless_service_may_lack_pods_too() -> None:
    assert "GLB303" in codes(analyse(of_counts(1, 1, 0, service=HEADLESS, proxies=(SOME,))))


def test_a_subset_with_even_load_is_a_note() -> None:
    assert the(analyse(of_counts(1, 1, 1, proxies=(SOME,))), "GLB303").severity == "info"


def test_a_host_that_the_proxy_does_not_choose_is_known_and_said_to_be_unfit() -> None:
    held = proxy(proxy_host(11), proxy_host(12, healthy=False))

    assert "GLB303" not in codes(analyse(of_counts(2, 0, proxies=(held,))))
    assert (
        the(analyse(of_counts(2, 0, 0, proxies=(held,))), "GLB303")
        .evidence[1]
        .endswith("250 requests since it has known it, does not choose it now (Envoy's admin interface)")
    )


def test_a_pod_that_came_just_now_is_not_missed_yet() -> None:
    pods = [pod(11, lasting(1)), pod(12, lasting(1)), pod(13, lasting(0), age=20.0)]

    assert "GLB303" not in codes(analyse(facts(pods, proxies=(SOME,))))


def test_a_proxy_that_reaches_the_rest_through_the_service_lacks_none() -> None:
    report = analyse(of_counts(2, 0, 0, proxies=(proxy(proxy_host(11), proxy_host(None)),)))

    assert "GLB302" in codes(report)
    assert "GLB303" not in codes(report)


def test_a_proxy_that_chooses_the_pods_itself_is_not_told_to_put_a_proxy_before_them() -> None:
    knows = proxy(proxy_host(11), proxy_host(12), proxy_host(13))
    pods = [told(11, carrying(900)), told(12, carrying(50)), told(13, carrying(50))]

    found = the(analyse(facts(pods, proxies=(knows,))), "GLB106")

    assert found.message.endswith(
        "gets 90% of the calls. caller-5d6c7b8f9-21 chooses among the pods itself, so that its own policy decides: see "
        "in its configuration the load balancing policy, the weights and localities of the hosts, and the checks that "
        "may take a host out."
    )
    assert (found.remedies, found.next) == (("proxy",), ())


def test_a_proxy_that_dials_the_service_chooses_no_pod() -> None:
    pods = [told(11, carrying(900)), told(12, carrying(50)), told(13, carrying(50))]

    assert "chooses" not in the(analyse(facts(pods, proxies=(DIALS,))), "GLB106").message
