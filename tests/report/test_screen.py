"""The table and wide: what stands out, what is folded, what is never cut."""

import pytest

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report import FORMATS, Page
from tests.report.builders import balance, client, finding, nothing_measured, pod, pods, report, target, unread, weighed
from tests.report.scenes import EXPOSE, SCENES, distroless, folded, hostile, idle, mixed, sticky, thirty


def table(shown: Report, width: int = 80, *, ascii: bool = False) -> list[str]:  # noqa: A002 - Page's own word
    return FORMATS["table"]([shown], Page(width=width, colour=False, ascii=ascii)).splitlines()


def wide(shown: Report) -> list[str]:
    return FORMATS["wide"]([shown], Page(width=80, colour=False)).splitlines()


def row(lines: list[str], start: str) -> str:
    return next(line for line in lines if line.startswith(start))


def test_the_verdict_is_the_first_word() -> None:
    assert table(sticky())[0].startswith("UNBALANCED  greeter (shop) port 80 → 50051: the 3 ready pods")


def test_a_service_without_ports_is_named_without_them() -> None:
    lines = table(report("inconclusive", target=target(port=None, target_port=None), reason="it is a name"))

    assert lines[0] == "INCONCLUSIVE  greeter (shop): it is a name"


def test_a_pod_that_was_not_read_has_no_numbers() -> None:
    line = row(table(mixed(), 120), "greeter-7c9f8d5b6-4x2kp")

    assert line.split()[1:6] == ["?", "timed", "out", "?", "?"]
    assert " 0" not in line


def test_nothing_is_said_of_a_balance_that_was_not_measured() -> None:
    lines = table(report("inconclusive", balance=nothing_measured(3), reason="none could be looked into"))

    assert lines[1] == "  two looks 5 s apart · context kind-shop · 2026-11-23T03:12:45Z"


def test_a_pod_whose_load_is_unknown_is_not_called_idle() -> None:
    lines = table(report(pods=(pod("greeter-0", connections=None, share=None),)))

    assert row(lines, "greeter-0").split()[1:4] == ["?", "not", "read"]


def test_a_pod_without_a_connection_is_not_called_idle_where_no_load_was_measured() -> None:
    shown = report("inconclusive", balance=nothing_measured(1), pods=(pod("greeter-0", share=None),))

    assert row(table(shown), "greeter-0").split()[1:3] == ["-", "0"]


def test_a_pod_with_a_passing_connection_is_not_called_idle() -> None:
    shown = report("unbalanced", pods=(pod("greeter-0", connections=2, share=1.0), pod("greeter-1", passed=1)))

    assert row(table(shown), "greeter-1").split()[1:3] == ["-", "0"]


def test_an_idle_service_has_no_chart_of_zeros() -> None:
    lines = table(idle())

    assert row(lines, "POD").split() == ["POD", "AGE", "READY", "NODE"]


def test_a_pod_that_gets_nothing_says_so() -> None:
    assert row(table(sticky()), "greeter-7c9f8d5b6-b8v4z").split()[1] == "idle"


def test_a_pod_that_is_not_ready_is_marked() -> None:
    assert row(table(mixed()), "greeter-5f8c7d9-hd5wl").split()[6] == "terminating"


def test_the_busiest_pod_comes_first_and_its_bar_is_the_longest() -> None:
    lines = table(report(pods=pods([1, 4, 2])))

    bars = [line.count("█") for line in lines if line.startswith("greeter-")]
    assert bars == [18, 9, 4]


def test_the_least_load_still_shows() -> None:
    lines = table(report(pods=pods([100_000, 1])))

    assert "▏" in row(lines, "greeter-7c9f8d5b6-b8v4z")


def test_bytes_are_shown_where_they_are_the_signal() -> None:
    lines = table(report(balance=weighed([9, 1], 0.1, "bytes"), pods=(pod(bytes_per_second=12_345.0, share=0.9),)))

    assert "BYTES/S" in row(lines, "POD")
    assert "12.3k" in row(lines, "greeter-7c9")


def test_a_tiny_chance_is_said_in_words() -> None:
    lines = table(report("unbalanced", balance=balance(chance=1.2e-9)))

    assert "  random placement alone would be this uneven less than 1 time in 10,000" in lines


def test_chance_is_left_out_where_the_load_is_even() -> None:
    assert not any("random" in line for line in table(report("balanced", balance=balance(chance=0.9))))


def test_a_client_of_the_same_namespace_is_named_without_it() -> None:
    lines = table(report(clients=(client("caller-1"), client("envoy-2", namespace="edge"))))

    assert row(lines, "caller-1").split()[1] == "Pod"
    assert row(lines, "envoy-2").startswith("envoy-2 (edge)")


def test_reach_counts_only_pods_that_were_read() -> None:
    lines = table(report(pods=(pod(), unread("greeter-1")), clients=(client("caller-1", pods=1),)))

    assert row(lines, "caller-1").endswith("1 of 1 read")


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    line = row(table(mixed(), 60), "greete")

    assert line.split()[0] == "greete…-x2x9k"


def test_names_of_broad_characters_keep_the_columns_in_line() -> None:
    lines = wide(hostile())

    assert row(lines, "挨拶").index("█") == row(lines, "[red]x").index("█") - len("挨拶サーバー問候服務器")


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    assert any(line.startswith("[red]x[/red] ") for line in table(hostile()))


def test_nodes_of_one_domain_are_shown_without_it() -> None:
    lines = table(mixed(), 120)

    assert row(lines, "greeter-7c9f8d5b6-x2x9k").endswith(" ip-10-0-12-31")


def test_a_command_is_never_broken() -> None:
    assert f"  $ {EXPOSE}" in table(sticky(), 60)


def test_a_code_longer_than_the_page_is_broken() -> None:
    lines = table(report(findings=(finding("GLB" + "1" * 90, title=""),)), 60)

    assert max(len(line) for line in lines if not line.startswith("  $ ")) <= 60


def test_explain_is_offered_once() -> None:
    lines = table(report(findings=(finding(next=("kubectl grpclb explain GLB101",)),)))

    assert lines.count("  $ kubectl grpclb explain GLB101") == 1


def test_a_subject_other_than_the_service_is_named() -> None:
    assert "  about Pod/shop/greeter-5f8c7d9-hd5wl" in table(mixed())


def test_pods_with_the_same_gap_share_a_line() -> None:
    lines = table(distroless(), 120)

    assert "  3 pods: no shell: no container of the pod has a shell or a tool that lists sockets" in lines


def test_gaps_that_differ_in_names_share_a_line_too() -> None:
    assert any(line.startswith("  2 pods: forbidden, such as: ") for line in table(mixed()))


def test_thirty_pods_are_not_folded_and_fit_a_tall_screen() -> None:
    lines = table(thirty())

    assert sum(line.startswith("greeter-") for line in lines) == 30
    assert len(lines) <= 55


def test_more_pods_are_folded_in_the_middle() -> None:
    lines = table(folded())

    assert sum(line.startswith("greeter-") for line in lines) == 24
    assert "… 96 pods between: 3 to 12 connections, 0.3% to 1.3% of the load each (-o wide)" in lines
    assert len(lines) <= 50


def test_unread_pods_are_folded_apart_from_the_others() -> None:
    rows = tuple(unread(f"greeter-{number}") for number in range(40))

    lines = table(report("inconclusive", balance=nothing_measured(40), pods=rows))

    assert "… 37 more pods not read (-o wide)" in lines


def test_wide_folds_nothing() -> None:
    lines = wide(folded())

    assert sum(line.startswith("greeter-") for line in lines) == 120
    assert not any("-o wide" in line for line in lines)


@pytest.mark.parametrize("scene", SCENES)
def test_a_page_of_ascii_is_given_ascii(scene: str) -> None:
    assert "\n".join(table(SCENES[scene](), ascii=True)).isascii()


def test_no_report_is_no_text() -> None:
    assert FORMATS["table"]([], Page(width=80, colour=False)) == ""
