"""What a Prometheus server is asked about the pods of a Service, and how many calls its answers tell of."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.addresses import canonical
from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskPrometheus, Blob, Objects, Output, Reading, Refused
from kubectl_grpclb.probes import prometheus
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.prometheus import counted_by_prometheus, request_prometheus
from tests.fake_cluster import NOW
from tests.shop import OLD, PODS, pod

URL = "http://prometheus:9090"
ASK = Ask("shop", "greeter", prometheus=URL, prometheus_range=300.0)


def a_server(name: str, *addresses: str, created: str = OLD, owner: str = "ReplicaSet") -> Backend:
    data = pod(PODS[0], addresses[0], created=created)
    data["metadata"]["ownerReferences"] = [{"kind": owner, "name": "greeter", "controller": True}]
    made = msgspec.convert(data, kube.Pod)
    return Backend(name, addresses, 50051, True, True, False, None, None, made)


SERVERS = [a_server(name, f"10.244.0.{at}") for at, name in enumerate(PODS, 11)]
STARTED = "grpc_server_started_total"


def queries(servers: Sequence[Backend] = SERVERS, ask: Ask = ASK) -> list[str]:
    return [each.query for each in request_prometheus(ask, servers)]


def sample(value: object, key: str = f"requests {STARTED}", **labels: str) -> dict[str, Any]:
    labels = labels or {"pod": PODS[0], "instance": "10.244.0.11:9090", "job": "greeter"}
    return {"metric": {**labels, "grpclb": key}, "value": [1795543677.77, value]}


def vector(*samples: object, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": samples}, **more}


def output(body: object, exit_code: int = 0) -> Output:
    return Output(Blob.of(body if isinstance(body, bytes) else json.dumps(body).encode()), exit_code=exit_code)


def count(*answers: Answer, server: Backend = SERVERS[0], ask: Ask = ASK) -> Counted | Gap | None:
    readings = [Reading(AskPrometheus(URL, f"query {at}", 30), answer, NOW, 0.1) for at, answer in enumerate(answers)]
    return counted_by_prometheus(readings, ask, server)


def counted(*samples: dict[str, Any], server: Backend = SERVERS[0]) -> Counted:
    found = count(output(vector(*samples)), server=server)
    assert isinstance(found, Counted), found
    return found


def gap(*answers: Answer, server: Backend = SERVERS[0]) -> Gap:
    found = count(*answers, server=server)
    assert isinstance(found, Gap), found
    return found


def test_nothing_is_asked_without_a_server_or_without_pods() -> None:
    assert request_prometheus(Ask("shop", "greeter"), SERVERS) == []
    assert request_prometheus(ASK, []) == []
    assert count() is None


def test_all_pods_are_asked_about_at_once_over_the_range() -> None:
    asked = queries()

    assert len(asked) <= 3
    assert f"increase({STARTED}{{" in asked[0]
    assert 'namespace="shop",pod=~"greeter-7c9f8d5b6-[^-]*"}[300000ms]' in asked[0]
    assert 'pod="",instance=~".?(10.244.0.11|10.244.0.12|10.244.0.13).?:.*"}[300000ms]' in asked[0]


def test_the_pods_of_a_rollout_are_matched_by_both_of_their_owners() -> None:
    both = [a_server(name, "10.244.0.11") for name in ("greeter-7c9f8d5b6-x2x9k", "greeter-5d6c7b8f9-m4q7t", "web")]

    assert 'pod=~"greeter-5d6c7b8f9-[^-]*|greeter-7c9f8d5b6-[^-]*|web[^-]*"' in queries(both)[0]


def test_pods_of_many_owners_are_matched_by_less_of_their_names() -> None:
    shards = [a_server(f"greeter-shard-{at}-7c9f8d5b6-x2x9k", "10.244.0.11") for at in range(50)]

    assert 'pod=~"greeter-shard-.*"' in queries(shards)[0]


def test_pods_that_have_nothing_in_common_are_those_of_the_namespace() -> None:
    assert 'namespace="shop",pod=~".*"' in queries([a_server(f"{at}x", "10.244.0.11") for at in range(100)])[0]


def test_many_addresses_are_matched_by_their_networks() -> None:
    one_node = [a_server(PODS[0], f"10.244.3.{at}", f"fd00:10::{at}") for at in range(100)]
    nodes = [a_server(PODS[0], f"10.244.{at}.7") for at in range(100)]

    assert 'pod="",instance=~".?(10.244.3..*|fd00:10::.*).?:.*"' in queries(one_node)[0]
    assert 'pod="",instance=~".?(10.244..*).?:.*"' in queries(nodes)[0]


def test_addresses_all_over_the_place_are_not_asked_about() -> None:
    scattered = [a_server(PODS[0], f"10.{at}.0.7") for at in range(100)]

    assert "or increase(grpc_requests_received_total{" in queries(scattered)[0]
    assert 'namespace="shop",pod=""}[300000ms]' in queries(scattered)[0]


PARTS = st.text(alphabet="ab0-.", min_size=1, max_size=60)


@settings(deadline=None)
@given(st.data(), st.integers(1, 1000), st.sampled_from(["shop", "n" * 63]))
def test_queries_stay_few_and_short_enough_for_a_url_with_any_number_of_pods(
    data: st.DataObject, number: int, namespace: str
) -> None:
    before, between, after = data.draw(PARTS), data.draw(PARTS), data.draw(PARTS)
    step = data.draw(st.integers(0, 65535))
    many = [
        replace(
            SERVERS[0],
            name=f"{before}{at * step}{between}{at}{after}",
            addresses=(f"10.{at * step % 256}.{at // 256}.{at % 256}", f"fd::{at:x}"),
        )
        for at in range(number)
    ]
    asked = queries(many, replace(ASK, namespace=namespace))

    assert len(asked) <= 4
    assert max(len(quote(query, safe="")) for query in asked) <= 7000


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?(\.[a-z0-9]{1,3})?", fullmatch=True)
HOSTS = st.ip_addresses().map(str)


@given(st.lists(st.tuples(NAMES, HOSTS), min_size=1, max_size=40))
def test_whatever_the_pods_are_called_their_targets_are_matched(pods: list[tuple[str, str]]) -> None:
    query = queries([a_server(name, canonical(host)) for name, host in pods])[0]
    name, host = (re.search(pattern, query) for pattern in (r'pod=~"([^"]*)"', r'instance=~"([^"]*)"'))

    assert name is not None
    for each, address in pods:
        assert re.fullmatch(name[1], each)
        known = canonical(address)
        assert host is None or re.fullmatch(host[1], f"[{known}]:9090" if ":" in known else f"{known}:9090")


def test_every_part_of_a_query_says_what_it_counts() -> None:
    whole = " or ".join(queries())

    assert f'"grpclb", "requests {STARTED}", "", "")' in whole
    assert f'"grpclb", "open {STARTED}", "", "")' in whole
    assert '"grpclb", "requests istio_requests_total destination grpc", "", "")' in whole


def test_calls_of_the_server_about_itself_are_left_out_under_both_names_of_the_label() -> None:
    whole = " or ".join(queries())

    assert 'grpc_service!~"/?(grpc[.]health[.]|' in whole
    assert 'grpc_requests_received_total{service!~"/?(grpc[.]health[.]|' in whole
    assert 'exported_service!~"/?(grpc[.]health[.]|' in whole


def test_a_sidecars_counters_are_asked_for_by_the_servers_port() -> None:
    whole = " or ".join(queries())

    assert 'request_total{direction=~"inbound.*",target_addr=~"(.*[^0-9])?(50051)[^0-9]*"' in whole


@pytest.mark.parametrize("name", ['x"} or vector(1) or up{a="', "a|b", "", "a\nb"])
def test_a_name_that_is_none_does_not_get_into_a_query(name: str) -> None:
    assert queries([a_server(name, '"}'), *SERVERS]) == queries()
    assert queries(ask=Ask(f"{name}!", "greeter", prometheus=URL)) == []


def test_addresses_of_both_families_are_asked_about() -> None:
    assert 'instance=~".?(10.244.0.11|fd00::b).?:.*"' in queries([a_server("a", "10.244.0.11", "fd00::b")])[0]


def test_an_answer_tells_of_calls_streams_and_messages() -> None:
    found = counted(
        sample("204.75"),
        sample("3", f"open {STARTED}"),
        sample("99.6", f"messages {STARTED}"),
        sample("7", "requests x"),
    )

    assert found == Counted("prometheus", 205, 300.0, open_streams=3, messages=100)


def test_the_parts_may_come_in_several_answers() -> None:
    found = count(output(vector(sample("5"))), output(vector()), output(vector(sample("2", f"open {STARTED}"))))

    assert found == Counted("prometheus", 5, 300.0, open_streams=2)


def test_a_pod_without_a_name_is_known_by_its_address() -> None:
    assert counted(sample("8", instance="10.244.0.11:9090", job="a")).requests == 8
    assert counted(sample("8", instance="[fd00::b]:9090"), server=a_server("a", "10.0.0.1", "fd00::b")).requests == 8
    assert gap(output(vector(sample("8", instance="10.244.0.12:9090")))).reason is GapReason.NOT_SERVED


def test_a_pod_that_two_jobs_scrape_is_counted_once() -> None:
    jobs = [sample(value, pod=PODS[0], job=job) for value, job in (("10", "a"), ("11", "b"))]

    assert counted(*jobs).requests == 11


def test_other_pods_of_such_names_are_none_of_the_services() -> None:
    others = [sample(value, pod=name, job="a") for value, name in (("8", PODS[1]), ("9", f"{PODS[0]}x"))]

    assert counted(sample("5"), *others).requests == 5


def test_a_pod_was_not_counted_before_it_was_there() -> None:
    young = a_server(PODS[0], "10.244.0.11", created="2026-11-23T11:59:40Z")

    assert counted(sample("40"), server=young).seconds == 20.0
    assert counted(sample("40"), server=young).rate == 2.0


@pytest.mark.parametrize("created", [OLD, "yesterday", NOW, "2026-11-23T12:00:05Z"])
def test_a_pod_of_another_age_was_counted_for_the_whole_range(created: str) -> None:
    assert counted(sample("40"), server=a_server(PODS[0], "10.244.0.11", created=created)).seconds == 300.0


def test_what_the_pod_of_the_same_name_before_it_got_is_not_its_own() -> None:
    again = a_server("cart-0", "10.244.0.11", created="2026-11-23T11:59:40Z", owner="StatefulSet")
    mine, before = (
        sample(value, pod="cart-0", instance=f"{ip}:9090") for value, ip in (("4", "10.244.0.11"), ("90", "10.244.0.9"))
    )
    named = sample("7", pod="cart-0", instance="cart")

    assert counted(mine, before, server=again).requests == 4
    assert gap(output(vector(before)), server=again).reason is GapReason.NOT_SERVED
    assert counted(named, server=again).requests == 7
    assert (
        counted(before, server=replace(again, pod=a_server("cart-0", "10.244.0.11", owner="StatefulSet").pod)).requests
        == 90
    )


def test_an_answer_is_read_once_for_all_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Answer] = []

    def counting(answer: Answer) -> Sequence[Any] | Gap:
        read.append(answer)
        return samples_of(answer)

    samples_of = prometheus._samples
    monkeypatch.setattr(prometheus, "_samples", counting)
    many = [a_server(f"once-{at}", f"10.244.1.{at}") for at in range(50)]
    answer = output(vector(*(sample("5", pod=server.name, job="a") for server in many)))

    assert all(count(answer, server=server) == Counted("prometheus", 5, 300.0) for server in many)
    assert read == [answer]


def test_a_pod_that_is_missing_is_a_gap_and_the_others_are_counted() -> None:
    assert gap(output(vector(sample("5"))), server=SERVERS[1]) == Gap(
        GapReason.NOT_SERVED, "Prometheus has no known counter of the pod's calls for 300 s"
    )


def test_a_pod_that_got_nothing_has_a_count_of_nothing() -> None:
    assert counted(sample("0")).requests == 0


def test_a_busy_counter_is_believed_before_an_idle_one_and_the_application_before_its_sidecar() -> None:
    otel, istio = (
        "requests rpc_server_duration_milliseconds_count grpc",
        "requests istio_requests_total destination grpc",
    )

    assert counted(sample("0"), sample("6", otel)).requests == 6
    assert counted(sample("0"), sample("6", istio)).requests == 0
    assert counted(sample("6", istio)).requests == 6


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "many", "1e300"])
def test_what_is_no_count_is_a_gap(value: str) -> None:
    assert gap(output(vector(sample(value)))) == Gap(
        GapReason.GARBLED, f"Prometheus gave no count for requests {STARTED}"
    )


def test_more_streams_that_ended_than_began_are_none_that_are_open() -> None:
    assert counted(sample("1"), sample("-2", f"open {STARTED}")).open_streams == 0


def test_an_error_is_told_in_prometheus_words() -> None:
    mistaken = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected end"}
    late = {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"}

    assert gap(output(mistaken, 400)) == Gap(
        GapReason.NOT_SERVED, "Prometheus refused the query: parse error: unexpected end"
    )
    assert gap(output(late, 503)).reason is GapReason.TIMED_OUT
    assert gap(output(vector(), 502)) == Gap(GapReason.NOT_SERVED, "Prometheus refused the query: HTTP 502")


def test_a_warning_means_that_something_is_missing_and_an_info_does_not() -> None:
    partial = vector(sample("5"), warnings=["store unavailable"])
    info = vector(sample("5"), warnings=["PromQL info: metric might not be a counter"], infos=["x"])

    assert gap(output(partial)) == Gap(GapReason.DIED, "Prometheus gave a part of the answer only: store unavailable")
    assert isinstance(count(output(info)), Counted)


def test_one_query_that_failed_leaves_every_pod_unknown() -> None:
    refused = Refused(GapReason.TIMED_OUT, "Prometheus did not answer within 30 s")

    assert gap(output(vector(sample("5"))), refused) == Gap(GapReason.TIMED_OUT, refused.message)


@pytest.mark.parametrize(
    "answer",
    [
        output(b"<html>login</html>"),
        output(b""),
        output(b"[" * 10_000),
        output(b"\xff"),
        output({"status": "success"}),
        output({"status": "success", "data": {"resultType": "scalar", "result": []}}),
        output(vector({"metric": {}, "value": "5"})),
        Objects(()),
        Output(gap=GapReason.TOO_LARGE, detail="much"),
    ],
)
def test_what_is_no_answer_of_prometheus_is_a_gap(answer: Answer) -> None:
    gap(answer)


def test_answers_of_another_server_say_nothing() -> None:
    assert count(output(vector(sample("5"))), ask=Ask("shop", "greeter", prometheus="http://other:9090")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SAMPLES = st.lists(st.builds(sample, st.one_of(st.text(max_size=5), st.floats().map(str))) | JSON, max_size=4)


@given(st.binary(max_size=100) | JSON | SAMPLES.map(lambda items: vector(*items)))
def test_any_answer_is_a_count_or_a_gap(body: object) -> None:
    found = count(output(body))

    assert isinstance(found, Gap) or (isinstance(found, Counted) and found.requests >= 0)
