"""What Envoy's admin pages tell: clients' connections, and how many requests each server got."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskEnvoy, Blob, Output, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.derive import derive
from kubectl_grpclb.probes.gather import gather
from tests.fake_cluster import FakeCluster, printed
from tests.shop import ENVOYS, HEADLESS, PODS, endpoint, envoys, hosts, proxied, servers, slice_of, told

FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot do that', 403)


def facts_of(cluster: FakeCluster, window: float = 0.01) -> Facts:
    return derive(asyncio.run(gather(cluster, Ask(namespace="shop", service="greeter", window=window))))


def requests(found: Facts) -> list[int | None]:
    """By the servers' addresses, as the pages give them."""
    return [pod.requests for pod in sorted(found.pods, key=lambda pod: pod.ip)]


def first_envoy(*, ready: bool, **pages: Answer) -> FakeCluster:
    proxies = envoys()
    slices = [
        slice_of([endpoint(proxies[0], ready=ready), endpoint(proxies[1])]),
        slice_of([endpoint(each) for each in servers()], name="behind", of=HEADLESS),
    ]
    return proxied(endpointslices=slices, pages={f"{ENVOYS[0]}/{path}": (page,) for path, page in pages.items()})


def test_each_envoy_is_asked_at_both_ends_of_the_window_and_once_for_its_clients() -> None:
    cluster = proxied()

    facts_of(cluster)

    asked = [each.path for each in cluster.requests if isinstance(each, AskEnvoy) and each.pod == ENVOYS[0]]
    assert asked == [
        "/clusters?format=json",
        "/stats?format=json&filter=downstream_cx_active",
        "/clusters?format=json",
    ]


def test_a_single_look_asks_once_and_counts_no_requests() -> None:
    cluster = proxied()

    found = facts_of(cluster, window=0)

    assert requests(found) == [None, None, None]
    assert len([each for each in cluster.requests if isinstance(each, AskEnvoy)]) == 4
    assert [pod.connections for pod in found.tiers[0].pods] == [1, 2]


def test_each_envoy_tells_the_servers_that_it_knew_at_the_end() -> None:
    found = facts_of(proxied(pages=told(hosts(0, 0), hosts(60, 60, 3))))

    known = found.tiers[0].pods[0].hosts
    assert not isinstance(known, Gap)
    assert [(host.pod, host.port, host.requests, host.connections) for host in known] == [
        (PODS[0], 50051, 60, 2),
        (PODS[1], 50051, 60, 2),
        (PODS[2], 50051, 3, 2),
    ]


def test_a_host_that_is_no_server_any_more_has_no_pod() -> None:
    known = facts_of(proxied(pages=told(hosts(0, 0, 0, 0), hosts(5, 5, 5, 5)))).tiers[0].pods[0].hosts

    assert not isinstance(known, Gap)
    assert [(host.address, host.pod) for host in known if host.pod is None] == [("10.244.0.14", None)]


def test_the_rate_is_that_of_the_time_between_the_answers() -> None:
    assert [pod.request_rate for pod in facts_of(proxied(), window=0.01).pods] == pytest.approx([10_000] * 3)


def test_an_envoy_that_refuses_is_a_gap_of_its_own_and_no_server_is_called_idle() -> None:
    found = facts_of(first_envoy(ready=True, clusters=FORBIDDEN, stats=FORBIDDEN))

    assert [pod.connections for pod in found.tiers[0].pods] == [Gap(GapReason.FORBIDDEN, FORBIDDEN.message), 2]
    assert found.tiers[0].pods[0].hosts == Gap(GapReason.FORBIDDEN, FORBIDDEN.message)
    assert requests(found) == [None, None, None]
    assert "ask Envoy in pod" in found.refusals[0].request


def test_an_envoy_that_is_not_ready_and_does_not_tell_hides_nothing() -> None:
    found = facts_of(first_envoy(ready=False, clusters=FORBIDDEN, stats=FORBIDDEN))

    assert requests(found) == [40, 40, 40]


def test_what_an_envoy_that_is_not_ready_sent_counts() -> None:
    proxies = envoys()
    slices = [
        slice_of([endpoint(proxies[0], ready=False), endpoint(proxies[1])]),
        slice_of([endpoint(each) for each in servers()], name="behind", of=HEADLESS),
    ]

    assert requests(facts_of(proxied(endpointslices=slices))) == [100, 100, 100]


def test_a_server_that_some_envoy_does_not_know_is_not_called_idle() -> None:
    found = facts_of(proxied(pages=told(hosts(0, 0), hosts(60, 60))))

    assert requests(found) == [100, 100, None]


def test_a_server_that_came_within_the_window_is_not_known() -> None:
    assert requests(facts_of(proxied(pages=told(hosts(0, 0), hosts(60, 60, 3))))) == [100, 100, None]


def test_a_counter_that_went_down_is_not_known() -> None:
    assert requests(facts_of(proxied(pages=told(hosts(500, 500, 500), hosts(560, 560, 10))))) == [100, 100, None]


def test_another_cluster_of_the_same_addresses_does_not_count() -> None:
    other = hosts(0, 0, 0, cluster="servers-9090")

    assert requests(facts_of(proxied(pages=told(other, other)))) == [None, None, None]


def test_an_answer_other_than_200_is_a_gap_that_gives_the_status() -> None:
    found = facts_of(first_envoy(ready=True, stats=printed("not found", exit_code=404)))

    assert found.tiers[0].pods[0].connections == Gap(GapReason.DIED, "Envoy answered with HTTP status 404")


def test_an_answer_that_is_not_whole_is_a_gap() -> None:
    cut = Output(stdout=Blob(text='{"stats":'), gap=GapReason.TOO_LARGE, detail="more than 4 MiB")

    found = facts_of(first_envoy(ready=True, stats=cut))

    assert found.tiers[0].pods[0].connections == Gap(GapReason.TOO_LARGE, "more than 4 MiB")


def test_pages_without_the_counter_are_a_gap() -> None:
    found = facts_of(first_envoy(ready=True, stats=printed(json.dumps({"stats": [{"histograms": {}}]}))))

    connections = found.tiers[0].pods[0].connections
    assert isinstance(connections, Gap)
    assert connections.reason is GapReason.GARBLED


def test_an_envoy_that_does_not_run_is_not_asked() -> None:
    proxies = envoys()
    proxies[0]["status"]["containerStatuses"] = [{"name": "envoy", "state": {"waiting": {"reason": "CrashLoop"}}}]
    slices = [
        slice_of([endpoint(proxies[0], ready=False), endpoint(proxies[1])]),
        slice_of([endpoint(each) for each in servers()], name="behind", of=HEADLESS),
    ]
    cluster = proxied(pods=[*servers(), *proxies], endpointslices=slices)

    found = facts_of(cluster)

    assert not [each for each in cluster.requests if isinstance(each, AskEnvoy) and each.pod == ENVOYS[0]]
    unasked = next(pod for pod in found.tiers[0].pods if pod.name == ENVOYS[0])
    assert unasked.connections == Gap(GapReason.UNREAD, "no container of the pod is running")
    assert isinstance(unasked.hosts, Gap)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stats", "name", "value", "cluster_statuses", "host_statuses", "address"]), inner
        )
    ),
    max_leaves=10,
)


@given(page=st.binary(max_size=50) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_page_gives_numbers_or_gaps(page: bytes) -> None:
    answer = Output(stdout=Blob.of(page), exit_code=0)
    cluster = proxied(pages={f"{ENVOYS[0]}/clusters": (answer,), f"{ENVOYS[0]}/stats": (answer,)})

    found = facts_of(cluster, window=0.0001)

    assert isinstance(found.tiers[0].pods[0].connections, int | Gap)
    assert all(count is None or count >= 0 for count in requests(found))
