from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Blob, Output
from kubectl_grpclb.probes.sockets import (
    Looks,
    Seen,
    look_request,
    parse_look,
    search_domains,
    without_tool,
)

DATA = Path(__file__).parent / "data"
GREETER = frozenset({50051})
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SS_HEADER = "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"


def printed(text: str | bytes, exit_code: int | None = 0) -> Output:
    return Output(stdout=Blob.of(text.encode() if isinstance(text, str) else text), exit_code=exit_code)


def look(number: int, tool: str, listing: str, opens: str = "0", status: int = 0) -> str:
    return (
        f"#grpclb look {number} {tool}\nTcp: ActiveOpens PassiveOpens\nTcp: 3 {opens}\n"
        f"#grpclb sockets\n{listing}\n#grpclb status {status}\n"
    )


def single(tool: str, listing: str, status: int = 0) -> str:
    return f"#grpclb script 1\n{look(1, tool, listing, status=status)}#grpclb end\n"


def double(tool: str, first: str, last: str, opens: tuple[str, str] = ("0", "0")) -> str:
    return (
        f"#grpclb script 1\n{look(1, tool, first, opens[0])}#grpclb waited 5\n"
        f"{look(2, tool, last, opens[1])}#grpclb end\n"
    )


def ss_line(peer: str, received: int, segments: int) -> str:
    return (
        f"ESTAB 0 0 198.18.192.10:50051 {peer}\n"
        f"\t cubic rto:204 bytes_acked:17 bytes_received:{received} segs_in:99 data_segs_in:{segments}\n"
    )


def read(text: str | bytes) -> Looks:
    looks = parse_look(printed(text), GREETER)
    assert isinstance(looks, Looks), looks
    return looks


def gap(text: str | bytes, exit_code: int | None = 0) -> Gap:
    answer = parse_look(printed(text, exit_code), GREETER)
    assert isinstance(answer, Gap)
    return answer


@pytest.mark.parametrize(
    ("window", "argument"), [(0, "0"), (5.0, "5"), (0.25, "0.25"), (1e-9, "0"), (120, "120"), (-1, "0")]
)
def test_the_window_is_the_scripts_first_argument(window: float, argument: str) -> None:
    request = look_request("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", window, 25.0)

    assert request.command[:2] == ("sh", "-c")
    assert request.command[3:] == ("grpclb", argument)
    assert (request.container, request.seconds) == ("greeter", 25.0)


def test_a_connection_in_both_looks_is_lasting_and_has_what_it_received_between_them() -> None:
    first = SS_HEADER + ss_line("198.18.128.9:41960", 1000, 20)
    last = SS_HEADER + ss_line("198.18.128.9:41960", 1600, 32)

    looks = read(double("ss", first, last))

    assert looks.seen == (Seen("198.18.192.10", "198.18.128.9", 41960, True, True, 600, 12),)
    assert looks.waited == 5


def test_a_connection_opened_between_the_looks_has_all_that_it_received() -> None:
    looks = read(double("ss", SS_HEADER, SS_HEADER + ss_line("198.18.128.9:41960", 1600, 32)))

    assert looks.seen == (Seen("198.18.192.10", "198.18.128.9", 41960, False, True, 1600, 32),)


def test_a_connection_closed_between_the_looks_is_seen_but_not_established() -> None:
    looks = read(double("ss", SS_HEADER + ss_line("198.18.128.9:41960", 1600, 32), SS_HEADER))

    assert looks.seen == (Seen("198.18.192.10", "198.18.128.9", 41960, False, False, None, None),)


def test_the_same_ends_with_fewer_bytes_than_before_are_two_connections() -> None:
    first = SS_HEADER + ss_line("198.18.128.9:41960", 1600, 32)
    last = SS_HEADER + ss_line("198.18.128.9:41960", 40, 2)

    looks = read(double("ss", first, last))

    assert looks.seen == (
        Seen("198.18.192.10", "198.18.128.9", 41960, False, True, 40, 2),
        Seen("198.18.192.10", "198.18.128.9", 41960, False, False, None, None),
    )


def test_segments_are_counted_across_the_end_of_32_bits() -> None:
    first = SS_HEADER + ss_line("198.18.128.9:41960", 1000, 2**32 - 4)
    last = SS_HEADER + ss_line("198.18.128.9:41960", 1600, 6)

    assert [seen.segments for seen in read(double("ss", first, last)).seen] == [10]


def test_accepted_connections_are_those_between_the_looks() -> None:
    assert read(double("ss", SS_HEADER, SS_HEADER, ("329", "334"))).opened == 5


@pytest.mark.parametrize("opens", [("", "5"), ("334", "329"), ("9" * 5000, "9" * 5000), ("x", "y")])
def test_nothing_is_said_of_accepted_connections_where_the_kernels_count_is_not_sound(opens: tuple[str, str]) -> None:
    assert read(double("ss", SS_HEADER, SS_HEADER, opens)).opened is None


def test_one_look_where_nothing_could_wait_shows_every_connection_as_lasting() -> None:
    text = single("ss", SS_HEADER + ss_line("198.18.128.9:41960", 1600, 32)).replace(
        "#grpclb end", "#grpclb waited none\n#grpclb end"
    )

    looks = read(text)

    assert (looks.waited, looks.opened) == (0, None)
    assert looks.seen == (Seen("198.18.192.10", "198.18.128.9", 41960, True, True, 1600, 32),)


def test_a_look_that_printed_no_connection_is_an_empty_list_and_no_gap() -> None:
    assert read(single("ss", SS_HEADER)).seen == ()


def test_a_list_of_many_blocks_is_read_whole() -> None:
    lines = [ss_line(f"198.18.{number // 200}.{number % 200}:41960", number, 1) for number in range(5000)]

    looks = read(single("ss", SS_HEADER + "".join(lines)))

    assert [seen.received for seen in looks.seen] == list(range(5000))


def test_the_search_list_is_told_even_where_the_sockets_are_not() -> None:
    text = single("ss", "what?\n").replace(
        "#grpclb look", "#grpclb search shop.svc.corp.example svc.corp.example corp.example\n#grpclb look"
    )

    assert search_domains(printed(text)) == ("shop.svc.corp.example", "svc.corp.example", "corp.example")


def test_words_of_the_search_list_that_are_no_domains_are_left_out() -> None:
    text = single("ss", SS_HEADER).replace(
        "#grpclb look", "#grpclb search \x1b[31mred\x1b[0m svc.cluster.local\n#grpclb look"
    )

    assert read(text).search == ("svc.cluster.local",)


def test_a_gap_of_the_command_is_passed_on() -> None:
    output = Output(gap=GapReason.TIMED_OUT, detail="no answer within 25 s")

    assert parse_look(output, GREETER) == Gap(GapReason.TIMED_OUT, "no answer within 25 s")


@pytest.mark.parametrize("exit_code", [126, 127])
def test_a_container_without_a_shell_is_a_gap_in_the_runtimes_words(exit_code: int) -> None:
    said = (DATA / "exec-distroless.stderr.txt").read_text()
    output = Output(stderr=Blob(text=said), exit_code=exit_code)

    answer = parse_look(output, GREETER)

    assert isinstance(answer, Gap)
    assert (answer.reason, answer.detail) == (GapReason.NO_SHELL, said[:200])
    assert without_tool(output)


def test_a_container_with_a_shell_and_no_tool_is_a_gap() -> None:
    text = single("none", "")

    assert gap(text).reason is GapReason.NO_SHELL
    assert without_tool(printed(text))


@pytest.mark.parametrize(
    ("text", "exit_code", "reason"),
    [
        ("", None, GapReason.DIED),
        ("", 137, GapReason.DIED),
        ("", 0, GapReason.GARBLED),
        ("#grp", 137, GapReason.DIED),
        ("#grpclb script 1\n", 137, GapReason.DIED),
        ("hello\n", 0, GapReason.GARBLED),
        (b"\x7fELF\x02\x01\x01\xff\xfe", 0, GapReason.GARBLED),
        ("\x1b]0;owned\x07\x1b[2J", 0, GapReason.GARBLED),
        ("#grpclb end\n", 0, GapReason.GARBLED),
        ("#grpclb \n", 0, GapReason.DIED),
        (single("ss", SS_HEADER).replace("script 1", "script 2"), 0, GapReason.GARBLED),
        (single("lsof", SS_HEADER), 0, GapReason.GARBLED),
        (single("ss", SS_HEADER, status=137), 0, GapReason.DIED),
        (double("ss", SS_HEADER, SS_HEADER).replace("waited 5", "waited soon"), 0, GapReason.GARBLED),
        (double("ss", SS_HEADER, SS_HEADER).replace("look 2 ss", "look 2 proc"), 0, GapReason.GARBLED),
        (single("ss", ""), 0, GapReason.GARBLED),
        (single("proc", ""), 0, GapReason.GARBLED),
        (single("netstat-wide", ""), 0, GapReason.GARBLED),
    ],
)
def test_an_answer_that_is_not_whole_is_a_gap_that_says_how(
    text: str | bytes, exit_code: int | None, reason: GapReason
) -> None:
    assert gap(text, exit_code).reason is reason


def test_an_answer_in_base64_that_does_not_decode_is_a_gap() -> None:
    answer = parse_look(Output(stdout=Blob(base64="%%%")), GREETER)

    assert isinstance(answer, Gap)
    assert answer.reason is GapReason.GARBLED


def test_a_strange_line_is_shown_without_its_escapes() -> None:
    answer = gap(single("ss", SS_HEADER + "ESTAB\x1b[2J\n"))

    assert answer == Gap(GapReason.GARBLED, "ss printed what cannot be understood: ESTAB\\x1b[2J")


@UNHURRIED
@given(st.binary(max_size=400), st.sampled_from([None, 0, 1, 126, 137]))
def test_any_bytes_are_read_or_are_a_gap(stdout: bytes, exit_code: int | None) -> None:
    answer = parse_look(printed(stdout, exit_code), GREETER)

    assert isinstance(answer, Looks | Gap)


@UNHURRIED
@given(
    tool=st.sampled_from(["ss", "proc", "netstat-wide", "netstat-narrow", "none", "lsof"]),
    listing=st.text(
        st.sampled_from("0123456789ABCDEFabcdef:.[]%* \t\nESTABLISHEDtcp6Recv-Qlocal_addresssl"), max_size=200
    ),
)
def test_any_listing_is_read_or_is_a_gap(tool: str, listing: str) -> None:
    assert isinstance(parse_look(printed(single(tool, listing)), GREETER), Looks | Gap)


@UNHURRIED
@given(
    name=st.sampled_from(["look-shell.txt", "look-ss.txt", "look-ss-single.txt"]),
    at=st.floats(0, 1, exclude_max=True),
    noise=st.binary(max_size=20),
    lost=st.integers(0, 200),
)
def test_a_damaged_answer_is_read_or_is_a_gap(name: str, at: float, noise: bytes, lost: int) -> None:
    whole = (DATA / name).read_bytes()
    cut = int(at * len(whole))

    answer = parse_look(printed(whole[:cut] + noise + whole[cut + lost :]), GREETER)

    assert isinstance(answer, Looks | Gap)


@UNHURRIED
@given(name=st.sampled_from(["look-shell.txt", "look-ss.txt"]), at=st.floats(0, 1, exclude_max=True))
def test_an_answer_that_ends_early_is_a_gap(name: str, at: float) -> None:
    whole = (DATA / name).read_bytes().removesuffix(b"#grpclb end\n")

    assert gap(whole[: int(at * len(whole))], exit_code=137).reason is GapReason.DIED


@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("look-shell.txt", "cat: write error: Broken pipe"),
        ("look-shell.txt", "  8: 0AC012C6:C383 0980"),
        ("look-shell.txt", "ESTAB 0 0 198.18.192.10:50051 198.18.128.9:41960"),
        ("look-ss.txt", "ss: short read"),
        ("look-ss.txt", "ESTAB 0 0 198.18.192.10:50051"),
        ("look-ss.txt", "\x00"),
    ],
)
def test_a_line_that_is_not_the_tools_is_a_gap_and_never_a_shorter_list(name: str, noise: str) -> None:
    sockets, _, rest = (DATA / name).read_text().partition("#grpclb status")

    assert gap(f"{sockets.rstrip()}\n{noise}\n\n#grpclb status{rest}").reason is GapReason.GARBLED
