"""Cures that the clients take part in: round robin, the headless Service, a Gateway, and none at all."""

import pytest
import yaml
from msgspec.structs import replace

from kubectl_grpclb.model.kube import Annotations
from kubectl_grpclb.model.plan import Advice
from kubectl_grpclb.remedies.client import plan_client
from kubectl_grpclb.remedies.gateway import plan_gateway
from kubectl_grpclb.remedies.headless import plan_headless
from kubectl_grpclb.remedies.languages import LANGUAGES, Language
from kubectl_grpclb.remedies.nothing import plan_nothing
from kubectl_grpclb.rules import analyse
from tests.remedies.builders import HOME, around, known, live
from tests.rules.builders import CLUSTER_IP, HEADLESS, facts, lasting, pod

STICKY = known()
REPORT = analyse(STICKY)
TARGET = "dns:///greeter-grpclb-pods.shop.svc.cluster.local:50051"
TOOL = "kubectl-grpclb 0.2.0"


def text(advice: tuple[Advice, ...]) -> str:
    return "\n".join(line for each in advice for line in (each.title, *each.lines))


def test_clients_are_told_to_make_the_headless_service_first() -> None:
    plan = plan_client(STICKY, REPORT, ())

    assert plan.changes_nothing
    assert plan.advice[0].title == "First, a headless Service"
    assert "kubectl grpclb fix greeter -n shop --strategy headless" in plan.advice[0].lines


def test_what_is_not_done_does_not_depend_on_where_it_stands() -> None:
    headless = known(service=HEADLESS)
    plans = [
        plan_client(STICKY, REPORT, ()),
        plan_headless(STICKY, REPORT, around(), TOOL, ()),
        plan_headless(headless, REPORT, around(service=live(clusterIP="None")), TOOL, ()),
    ]

    said = [*(each for plan in plans for each in plan.wont), *(check.do for plan in plans for check in plan.checks)]

    assert [each for each in said if "below" in each or "above" in each] == []


def test_every_language_is_told_what_to_dial() -> None:
    said = plan_client(STICKY, REPORT, ()).advice

    assert [advice.title for advice in said[2:]] == [language.name for language in LANGUAGES]
    assert f'grpc.NewClient("{TARGET}"' in text(said)
    assert 'builder(("greeter-grpclb-pods.shop.svc.cluster.local", 50051))' in text(said)
    assert "TARGET" not in text(said)


def test_a_headless_service_is_dialled_by_its_own_name() -> None:
    headless = known(service=HEADLESS)

    said = text(plan_client(headless, analyse(headless), ()).advice)

    assert "dns:///greeter.shop.svc.cluster.local:50051" in said
    assert "--strategy headless" not in said


def test_pods_that_disagree_on_the_port_leave_it_open() -> None:
    mixed = replace(STICKY, target=replace(STICKY.target, target_port="grpc"))

    assert "cluster.local:<the pods' port>" in text(plan_client(mixed, REPORT, ()).advice)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_each_language_says_how_connections_get_old_or_that_they_cannot(language: Language) -> None:
    assert language.client
    assert language.server or language.server_notes


def test_a_line_fits_an_ordinary_screen() -> None:
    lines = [line for each in plan_client(STICKY, REPORT, ()).advice for line in each.lines]

    assert max(map(len, lines)) <= 110


def test_the_headless_service_selects_the_same_pods_and_has_their_own_port() -> None:
    (create,) = plan_headless(STICKY, REPORT, around(), TOOL, ()).create

    assert create.manifest == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "greeter-grpclb-pods",
            "namespace": "shop",
            "labels": {
                "app.kubernetes.io/managed-by": "kubectl-grpclb",
                "grpclb/service": "greeter",
                "grpclb/part": "for-clients",
            },
            "annotations": {"grpclb/tool": TOOL},
        },
        "spec": {
            "clusterIP": "None",
            "selector": {"app": "greeter"},
            "ports": [{"port": 50051, "targetPort": 50051, "protocol": "TCP", "name": "grpc"}],
        },
    }


def test_a_dual_stack_service_has_a_dual_stack_headless_one() -> None:
    dual = around(service=live(ipFamilies=["IPv6", "IPv4"], ipFamilyPolicy="PreferDualStack"))

    spec = plan_headless(STICKY, REPORT, dual, TOOL, ()).create[0].manifest["spec"]

    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv6", "IPv4"], "PreferDualStack")


def test_a_service_without_a_selector_gets_no_headless_one() -> None:
    bare = known(service=replace(CLUSTER_IP, selector={}))

    plan = plan_headless(bare, analyse(bare), around(), TOOL, ())

    assert ([check.name for check in plan.refused], plan.create) == (["type"], ())


def test_a_name_that_is_taken_is_refused() -> None:
    plan = plan_headless(STICKY, REPORT, around(taken=("Service/greeter-grpclb-pods",)), TOOL, ())

    assert ([check.name for check in plan.refused], plan.create) == (["names"], ())


def test_a_headless_service_needs_no_second_one() -> None:
    headless = known(service=HEADLESS)

    plan = plan_headless(headless, analyse(headless), around(), TOOL, ())

    assert (plan.refused, plan.create) == ((), ())


def test_the_route_is_shown_to_be_filled_in_and_nothing_is_made() -> None:
    plan = plan_gateway(STICKY, REPORT, (), gateway_api=True, service=live())

    route = yaml.safe_load("\n".join(plan.advice[0].lines))

    assert plan.changes_nothing
    assert (route["apiVersion"], route["kind"]) == ("gateway.networking.k8s.io/v1", "GRPCRoute")
    assert route["spec"]["rules"] == [{"backendRefs": [{"name": "greeter", "port": 80}]}]
    assert route["spec"]["parentRefs"][0]["name"] == "NAME-OF-YOUR-GATEWAY"


def test_a_gateway_is_told_to_speak_http2_to_the_pods() -> None:
    plan = plan_gateway(STICKY, REPORT, (), gateway_api=True, service=live())

    assert '"path":"/spec/ports/0/appProtocol","value":"kubernetes.io/h2c"' in plan.advice[1].lines[-1]


def test_without_the_gateway_api_a_route_is_refused() -> None:
    plan = plan_gateway(STICKY, REPORT, (), gateway_api=False, service=live())

    assert [check.name for check in plan.refused] == ["gateway"]


def test_a_service_that_leads_nowhere_comes_with_the_commands_of_its_finding() -> None:
    broken = facts([pod(11, lasting(0), ready=False, waiting="ImagePullBackOff")])
    report = analyse(broken)

    plan = plan_nothing(broken, report, around(), ("because",))

    assert plan.changes_nothing
    assert plan.advice[0].lines[1:] == report.findings[0].next


def test_under_a_mesh_uneven_load_comes_with_the_protocol_hint() -> None:
    meshed = around(namespace_labels=HOME, namespace_annotations=Annotations(linkerd_inject="enabled"))

    assert [advice.title for advice in plan_nothing(STICKY, REPORT, meshed, ()).advice] == ["Let Linkerd balance"]
