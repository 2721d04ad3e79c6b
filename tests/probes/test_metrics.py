"""A pod's own metrics: how many calls they tell of."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubectl_grpclb.model.facts import Counted
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Answer, Objects, Output, Reading, Refused, Scrape
from kubectl_grpclb.probes._counters import LIBRARIES, SIDECARS, WANTED
from kubectl_grpclb.probes.metrics import counted_by_metrics
from tests.probes.scrapes import ASK, DATA, NAME, SCRAPE, a_pod, output, reading

FORBIDDEN = Refused(GapReason.FORBIDDEN, 'User "ann" cannot get resource "pods/proxy"', 403)


def said(*texts: str | bytes | Answer, seconds: float = 5.0) -> list[Reading]:
    """Two scrapes so many seconds apart, or one."""
    answers = [text if not isinstance(text, str | bytes) else output(text) for text in texts]
    return [reading(SCRAPE, answer, f"12:00:{seconds * at:06.3f}") for at, answer in enumerate(answers)]


def count(*texts: str | bytes | Answer, seconds: float = 5.0) -> Counted | Gap | None:
    return counted_by_metrics(said(*texts, seconds=seconds), ASK, a_pod())


def counted(*texts: str | bytes | Answer, seconds: float = 5.0) -> Counted:
    found = count(*texts, seconds=seconds)
    assert isinstance(found, Counted), found
    return found


def gap(*texts: str | bytes | Answer) -> Gap:
    found = count(*texts)
    assert isinstance(found, Gap), found
    return found


def kept(name: str) -> str:
    """A file's lines as a scrape keeps them."""
    lines = (DATA / name).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith(WANTED))


def calls(number: float | str, *, service: str = "helloworld.Greeter", kind: str = "unary", of: str = "started") -> str:
    code = ',grpc_code="OK"' if of == "handled" else ""
    return f'grpc_server_{of}_total{{grpc_method="M",grpc_service="{service}",grpc_type="{kind}"{code}}} {number}\n'


def test_a_go_server_tells_its_calls_messages_and_open_streams_without_health_checks() -> None:
    found = counted(kept("metrics-grpc-go-first.txt"), kept("metrics-grpc-go-last.txt"))

    assert found == Counted("metrics", 54, 5.0, open_streams=3, messages=78)


def test_a_single_scrape_tells_of_the_counters_whole_life() -> None:
    found = counted(kept("metrics-grpc-go-last.txt"))

    assert (found.requests, found.seconds, found.open_streams, found.messages) == (3475, 0.0, 3, 5176)


def test_the_time_between_is_that_of_the_answers_ends() -> None:
    first, last = said(calls(10), calls(25), seconds=4)
    slow = reading(SCRAPE, last.answer, "12:00:04.000", took=1.5)

    found = counted_by_metrics([first, slow], ASK, a_pod())

    assert isinstance(found, Counted)
    assert (found.requests, found.seconds) == (15, 5.5)


def test_a_clock_that_tells_nothing_leaves_the_window() -> None:
    assert counted(calls(10), calls(25), seconds=0).seconds == ASK.window


def test_the_last_of_several_scrapes_is_compared_with_the_first() -> None:
    assert counted(calls(10), calls(15), calls(40)).requests == 30


def test_another_pods_metrics_and_another_ports_do_not_count() -> None:
    others = Scrape("shop", "greeter-7c9f8d5b6-m4q7t", 9090, "/metrics", WANTED, 10.0)
    earlier = Scrape("shop", NAME, 15020, "/stats/prometheus", WANTED, 10.0)
    beside = [reading(others, output(calls(900))), reading(earlier, output(calls(1)))]

    found = counted_by_metrics([*beside, *said(calls(10), calls(25))], ASK, a_pod())

    assert isinstance(found, Counted)
    assert found.requests == 15


def test_a_counter_that_went_down_is_a_gap() -> None:
    assert gap(calls(10), calls(9)).reason is GapReason.DIED


def test_a_series_that_vanished_is_a_gap() -> None:
    assert gap(calls(10) + calls(1, service="shop.Cart"), calls(12)).reason is GapReason.DIED


def test_a_series_at_zero_that_is_left_out_later_is_none() -> None:
    assert counted(calls(10) + calls(0, service="shop.Cart"), calls(12)).requests == 2


def test_a_series_that_is_new_began_at_zero() -> None:
    assert counted(calls(10), calls(12) + calls(5, service="shop.Cart")).requests == 7


def test_a_library_that_had_counted_nothing_yet_began_at_zero() -> None:
    nothing = "# TYPE grpc_server_started_total counter\n"

    assert counted(nothing, nothing).requests == 0
    assert counted(nothing, calls(5)).requests == 5


def test_a_counter_that_was_not_there_at_first_is_a_gap() -> None:
    assert gap("", calls(5)) == Gap(GapReason.GARBLED, "grpc_server_started_total was not among the metrics at first")


@pytest.mark.parametrize("text", ["", "\n\n", "# TYPE go_goroutines gauge\n"])
def test_metrics_without_a_known_counter_are_a_gap_and_no_zero(text: str) -> None:
    assert gap(text, text) == Gap(GapReason.NOT_SERVED, "the metrics have no known counter of gRPC calls")


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "-Inf", "1e300", "many", "0x10", ""])
def test_what_is_no_count_is_a_gap(value: str) -> None:
    assert gap(calls(value)).reason is GapReason.GARBLED


@pytest.mark.parametrize(
    "line",
    [
        'grpc_server_started_total{grpc_service="a" 3\n',
        'grpc_server_started_total{grpc_service="a"b"} 3\n',
        "grpc_server_started_total \n",
        "{} 3\n",
        calls(3) + calls(3),
    ],
)
def test_a_line_that_is_none_is_a_gap(line: str) -> None:
    assert gap(line).reason is GapReason.GARBLED


def test_time_stamps_exemplars_escapes_and_trailing_commas_are_read_past() -> None:
    lines = (
        'grpc_server_started_total{grpc_service="a\\"}b",grpc_method="\\n",} 3 1795543677000\r\n'
        'grpc_server_started_total{grpc_service="c"} 4 # {trace_id="x}y"} 1 1795543677.1\n'
        "grpc_server_started_total\t5.0\n"
    )

    assert counted(lines).requests == 12


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (FORBIDDEN, Gap(GapReason.FORBIDDEN, FORBIDDEN.message)),
        (Output(exit_code=404), Gap(GapReason.NOT_SERVED, "the pod answered HTTP 404")),
        (Output(gap=GapReason.TOO_LARGE, detail="much"), Gap(GapReason.TOO_LARGE, "much")),
        (Objects(()), Gap(GapReason.GARBLED, "the request for metrics was not answered with metrics")),
    ],
)
def test_an_answer_that_is_not_whole_is_a_gap_at_either_end(answer: Answer, found: Gap) -> None:
    assert gap(answer, calls(1)) == gap(calls(1), answer) == gap(answer) == found


@pytest.mark.parametrize("kind", ["server_stream", "client_stream", "bidi_stream", "BIDI_STREAMING"])
def test_streams_that_began_and_have_not_ended_are_open(kind: str) -> None:
    began, ended = calls(9, kind=kind), calls(5, kind=kind, of="handled")

    assert counted(began + ended + calls(8)).open_streams == 4
    assert counted(began + calls(5, of="handled")).open_streams == 9
    assert counted(began + calls(10, kind=kind, of="handled")).open_streams == 0


def test_open_streams_are_not_known_without_both_counters_and_the_types() -> None:
    plain = 'grpc_server_started_total{grpc_service="a"} 3\ngrpc_server_handled_total{grpc_service="a"} 1\n'

    assert counted(calls(9, kind="bidi_stream")).open_streams is None
    assert counted(plain).open_streams is None


def test_messages_are_those_of_streams() -> None:
    def received(unary: int, streamed: int) -> str:
        streams = calls(streamed, kind="client_stream", of="msg_received")
        return calls(1) + calls(unary, of="msg_received") + streams

    assert counted(received(5, 10), received(50, 17)).messages == 7
    assert counted(received(5, 10), received(50, 9)).messages is None
    assert counted(calls(1), received(5, 10)).messages is None


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ('grpc_server_call_started_total{grpc_method="a.B/C"} 7', "starts"),
        ('grpc_requests_received_total{service="a.B",method="C"} 7', "starts"),
        ('grpc_server_handled_total{grpc_service="a.B",grpc_code="OK"} 7', "ends"),
        (
            'grpc_server_processing_duration_seconds_count{methodType="UNARY",service="a.B",statusCode="OK",} 7.0',
            "ends",
        ),
        ('grpc_server_requests_received_messages_total{methodType="UNARY",service="a.B"} 7.0', "messages"),
        ('grpc_server_call_duration_seconds_count{grpc_method="a.B/C",grpc_status="OK"} 7', "ends"),
        ('rpc_server_call_duration_seconds_count{rpc_system_name="grpc",rpc_method="a.B/C"} 7', "ends"),
        ('rpc_server_duration_milliseconds_count{rpc_system="grpc",rpc_service="a.B"} 7', "ends"),
        ('rpc_server_duration_seconds_count{rpc_system="grpc",rpc_service="a.B"} 7', "ends"),
        ('istio_requests_total{reporter="destination",request_protocol="grpc"} 7', "ends"),
        ('request_total{direction="inbound",target_addr="10.244.0.11:50051",tls="true"} 7', "starts"),
        ('envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="inbound_0.0.0.0_50051"} 7', "starts"),
        ('envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="localhost_50051"} 7', "starts"),
    ],
)
def test_every_librarys_counter_is_known(line: str, counts: str) -> None:
    assert line.startswith(WANTED)
    assert counted(line + "\n").requests == 7
    assert next(row.counts for row in (*LIBRARIES, *SIDECARS) if line.startswith(f"{row.metric}{{")) == counts


@pytest.mark.parametrize(
    "line",
    [
        'rpc_server_duration_milliseconds_count{rpc_system="connect_rpc",rpc_service="a.B"} 7',
        'istio_requests_total{reporter="source",request_protocol="grpc"} 7',
        'istio_requests_total{reporter="destination",request_protocol="http"} 7',
        'request_total{direction="outbound",target_addr="10.244.0.11:50051"} 7',
        'request_total{direction="inbound",target_addr="10.244.0.11:4191"} 7',
        'request_total{direction="inbound",target_addr="10.244.0.11:150051"} 7',
        'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="admin"} 7',
        "request_total 7",
    ],
)
def test_what_counts_something_else_is_no_counter_of_calls(line: str) -> None:
    assert gap(line + "\n").reason is GapReason.NOT_SERVED


@pytest.mark.parametrize(
    "service",
    ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "grpc.channelz.v1.Channelz"],
)
def test_what_a_server_offers_about_itself_does_not_count(service: str) -> None:
    method = f'grpc_server_call_started_total{{grpc_method="/{service}/Check"}} 9\n'

    assert counted(calls(3) + calls(9, service=service)).requests == 3
    assert counted(method).requests == 0


def test_the_application_is_believed_before_its_sidecar_and_a_busy_counter_before_an_idle_one() -> None:
    sidecar = 'istio_requests_total{reporter="destination",request_protocol="grpc"} 99\n'
    other = 'rpc_server_duration_milliseconds_count{rpc_system="grpc",rpc_service="a.B"} 5\n'

    assert counted(sidecar + calls(0)).requests == 0
    assert counted(sidecar + calls(0) + other).requests == 5
    assert counted(sidecar + other + calls(7)).requests == 7


def test_no_counter_is_in_the_table_twice() -> None:
    rows = [(row.metric, row.only) for row in (*LIBRARIES, *SIDECARS)]

    assert len(set(rows)) == len(rows)


def line_of(name: str, labels: Sequence[tuple[str, str]], value: str) -> str:
    return f"{name}{{{','.join(f'{label}={quoted}' for label, quoted in labels)}}} {value}\n"


LINES = st.builds(
    line_of,
    st.sampled_from([row.metric for row in (*LIBRARIES, *SIDECARS)]),
    st.lists(
        st.tuples(st.sampled_from(["grpc_service", "grpc_type", "reporter", "a"]), st.text(max_size=6)), max_size=3
    ),
    st.one_of(st.text(max_size=5), st.floats().map(str), st.integers().map(str)),
)


@given(
    st.lists(st.one_of(st.binary(max_size=200), st.lists(LINES).map(lambda all_: "".join(all_).encode())), max_size=3)
)
@example([b'grpc_server_started_total{a="' + b'\\"' * 30 + b"} 1\n"])
def test_any_bytes_are_a_count_or_a_gap(texts: list[bytes]) -> None:
    found = count(*texts)

    assert found is None or isinstance(found, Gap) or (found.requests >= 0 and found.seconds >= 0)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9), st.lists(st.integers(0, 10**9), min_size=9, max_size=9))
def test_calls_are_what_the_series_grew_by_in_all(before: list[int], grown: list[int]) -> None:
    first = "".join(calls(value, service=f"s{at}") for at, value in enumerate(before))
    last = "".join(
        calls(value + more, service=f"s{at}") for at, (value, more) in enumerate(zip(before, grown, strict=False))
    )

    assert counted(first, last).requests == sum(grown[: len(before)])
