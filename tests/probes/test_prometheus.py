"""What a Prometheus server is asked about the pods of a Service, and how many calls its answers tell of."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, AskPrometheus, Blob, Objects, Output, Reading, Refused
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend
from kubectl_grpclb.probes.prometheus import counted_by_prometheus, request_prometheus
from tests.fake_cluster import NOW
from tests.shop import PODS, pod

URL = "http://prometheus:9090"
ASK = Ask("shop", "greeter", prometheus=URL, prometheus_range=300.0)


def a_server(name: str, *addresses: str) -> Backend:
    made = msgspec.convert(pod(PODS[0], addresses[0]), kube.Pod)
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
    assert 'namespace="shop",pod=~"greeter-7c9f8d5b6-(x2x9k|m4q7t|b8v2n)"}[300000ms]' in asked[0]
    assert 'pod="",instance=~"(10[.]244[.]0[.](11|12|13)):.*"}[300000ms]' in asked[0]


def test_queries_stay_few_and_short_enough_for_a_url_with_many_pods() -> None:
    many = [a_server(f"greeter-7c9f8d5b6-{at:05}", f"10.244.{at // 50}.{at % 50}") for at in range(100)]
    asked = queries(many)

    assert len(asked) < 12
    assert max(len(quote(query)) for query in asked) <= 7000


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
    assert (
        'instance=~"(10[.]244[.]0[.](11)|([[]fd00::b[]])):.*"' in queries([a_server("a", "10.244.0.11", "fd00::b")])[0]
    )


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
