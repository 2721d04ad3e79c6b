"""The machine-readable formats."""

import json
import subprocess
import sys

import msgspec
import yaml

from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.report import FORMATS, Page
from kubectl_grpclb.report.verification import verification_data
from tests.report.builders import balance, client, finding, pod, report, target
from tests.report.scenes import balanced, idle, sticky

PAGE = Page(width=80, colour=True)


def test_one_report_is_given_as_itself() -> None:
    text = FORMATS["json"]([sticky()], PAGE)

    assert msgspec.json.decode(text, type=Report).findings == sticky().findings
    assert json.loads(text)["kind"] == "Report"


def test_several_reports_are_a_list_in_their_order() -> None:
    text = FORMATS["json"]([idle(), balanced()], PAGE)

    document = json.loads(text)
    assert (document["apiVersion"], document["kind"]) == ("grpclb/v1", "ReportList")
    assert [item["verdict"] for item in document["items"]] == ["idle", "balanced"]


def test_yaml_gives_several_reports_as_one_document() -> None:
    text = FORMATS["yaml"]([idle(), balanced()], PAGE)

    assert yaml.safe_load(text) == json.loads(FORMATS["json"]([idle(), balanced()], PAGE))


def test_no_report_is_an_empty_list() -> None:
    assert json.loads(FORMATS["json"]([], PAGE))["items"] == []


def test_fields_come_in_the_order_of_the_contract() -> None:
    document = json.loads(FORMATS["json"]([sticky()], PAGE))

    assert list(document)[:7] == ["apiVersion", "kind", "target", "takenAt", "windowSeconds", "verdict", "reason"]
    assert list(document["target"]) == ["context", "namespace", "service", "port", "targetPort"]


def test_a_small_chance_is_not_rounded_to_nothing() -> None:
    text = FORMATS["json"]([report(balance=balance(chance=0.0000154321))], PAGE)

    assert json.loads(text)["balance"]["chance"] == 0.00001543


def test_figures_are_rounded_to_what_they_can_mean() -> None:
    uneven = balance(effective_pods=84.80771136881752, max_over_mean=4.021621621)

    document = json.loads(FORMATS["json"]([report(balance=uneven, pods=(pod(share=1 / 3),))], PAGE))

    assert document["balance"]["effectivePods"] == 84.8077
    assert document["balance"]["maxOverMean"] == 4.0216
    assert document["pods"][0]["share"] == 0.3333


def test_what_steers_a_terminal_is_escaped_and_stays_the_same_value() -> None:
    name = "挨拶\x9b2J\x7f\u202e\U000e0001"

    text = FORMATS["json"]([report(clients=(client(name),))], PAGE)

    assert r'"挨拶\u009b2J\u007f\u202e\udb40\udc01"' in text
    assert json.loads(text)["clients"][0]["name"] == name


def test_yaml_quotes_a_name_that_kubectl_would_read_as_a_number() -> None:
    one = report(target=target(namespace="1e3"))

    for text in (FORMATS["yaml"]([one], PAGE), verification_data("fixed", "", balance(), one, "yaml")):
        assert "\n  namespace: '1e3'\n" in text


def test_a_command_is_one_line_of_yaml_however_long() -> None:
    command = "kubectl expose service greeter " + "--selector=app.kubernetes.io/name=greeter " * 5 + "-n shop"

    text = FORMATS["yaml"]([report(findings=(finding(next=(command,)),))], PAGE)

    assert f"  - {command}\n" in text


def test_a_format_loads_its_libraries_when_it_renders() -> None:
    script = "import sys, kubectl_grpclb.report; print({'rich', 'yaml'} & set(sys.modules))"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert run.stdout == "set()\n"
