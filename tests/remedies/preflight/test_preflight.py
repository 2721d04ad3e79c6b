"""What speaks against a fix, check by check."""

import pkgutil
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.facts import Facts, ServicePort
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.plan import Check
from kubectl_grpclb.model.surroundings import Ownership, Spoken
from kubectl_grpclb.remedies import preflight as package
from kubectl_grpclb.remedies.preflight import CHECKS, preflight
from tests.remedies.builders import HOME, INTENT, around, known, live, names, pods
from tests.rules.builders import CLUSTER_IP, HEADLESS, facts, lasting, pod
from tests.shop import servers

HELPERS = {"ends", "intent", "policies", "policy_rules", "selectors"}
GAP = Gap(GapReason.FORBIDDEN, "pods/portforward is forbidden")


def found(name: str, facts_: Facts | None = None, **changes: Any) -> Check:
    checks = preflight(facts_ or known(), around(**changes), INTENT)
    return next(each for each in checks if each.name == name)


def refused(facts_: Facts | None = None, **changes: Any) -> list[str]:
    return names(preflight(facts_ or known(), around(**changes), INTENT))


def service(**changes: Any) -> Facts:
    return known(service=replace(CLUSTER_IP, **changes))


def test_every_module_has_its_check_in_the_tuple() -> None:
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}

    assert {check.__module__.rpartition(".")[2] for check in CHECKS} == modules - HELPERS


def test_where_nothing_is_in_the_way_only_the_peers_address_is_mentioned() -> None:
    checks = preflight(known(), around(), INTENT)

    assert [(each.level, each.name) for each in checks] == [("warn", "peer-address")]


def test_refusals_come_first() -> None:
    checks = preflight(known(), around(gateway_api=True, taken=("Service/greeter-grpclb-pods",)), INTENT)

    assert [each.level for each in checks] == ["refuse", "warn", "warn"]


def sidecar(**metadata: object) -> tuple[kube.Pod, ...]:
    first, *others = servers()
    return pods([{**first, "metadata": {**first["metadata"], **metadata}}, *others])


def proxied(where: str, name: str) -> tuple[kube.Pod, ...]:
    first, *others = servers()
    containers = [*first["spec"].get(where, []), {"name": name}]
    return pods([{**first, "spec": {**first["spec"], where: containers}}, *others])


@pytest.mark.parametrize(
    "meshed",
    [
        {"pods": sidecar(annotations={"sidecar.istio.io/status": "{}"})},
        {"pods": sidecar(annotations={"linkerd.io/proxy-version": "edge-26.1.1"})},
        {"pods": proxied("containers", "istio-proxy")},
        {"pods": proxied("initContainers", "linkerd-proxy")},
        {"namespace_labels": {**HOME, "istio-injection": "enabled"}},
        {"namespace_labels": {**HOME, "istio.io/rev": "1-28"}},
        {"namespace_labels": {**HOME, "istio.io/dataplane-mode": "ambient"}},
        {"namespace_annotations": kube.Annotations(linkerd_inject="enabled")},
    ],
)
def test_a_mesh_is_recognised_by_its_marks(meshed: dict[str, Any]) -> None:
    assert refused(**meshed) == ["mesh"]


def test_a_port_without_a_hint_gets_the_patch_that_gives_it_one() -> None:
    unnamed = service(port=ServicePort(name="api", number=80, target="grpc", app_protocol=None))

    do = found("mesh", unnamed, namespace_labels={**HOME, "istio-injection": "enabled"}).do

    assert "does not say that it carries gRPC" in do
    assert '[{"op":"add","path":"/spec/ports/0/appProtocol","value":"grpc"}]' in do


def test_a_port_that_a_mesh_knows_already_points_to_other_reasons() -> None:
    do = found("mesh", namespace_labels={**HOME, "istio-injection": "enabled"}).do

    assert "is recognised as HTTP/2 as it is" in do


@pytest.mark.parametrize("protocol", ["grpc", "http", "http2"])
def test_linkerd_is_told_of_http2_in_the_only_word_that_it_takes_for_it(protocol: str) -> None:
    said = service(port=ServicePort(name="grpc", number=80, target="grpc", app_protocol=protocol))

    do = found("mesh", said, namespace_annotations=kube.Annotations(linkerd_inject="enabled")).do

    assert f"does not say that it carries gRPC (appProtocol {protocol})" in do
    assert '[{"op":"add","path":"/spec/ports/0/appProtocol","value":"kubernetes.io/h2c"}]' in do


def test_ambient_mode_needs_a_waypoint() -> None:
    do = found("mesh", namespace_labels={**HOME, "istio.io/dataplane-mode": "ambient"}).do

    assert "istioctl waypoint apply -n shop --enroll-namespace" in do


@pytest.mark.parametrize(("protocol", "level"), [("tls", "refuse"), ("other", "refuse"), (GAP, "warn")])
def test_what_the_port_speaks_other_than_plain_grpc_is_told(protocol: Any, level: str) -> None:
    assert found("tls", spoken=(Spoken("greeter-7c9f8d5b6-x2x9k", 50051, protocol, health=GAP),)).level == level


def test_servers_that_nobody_asked_are_warned_of() -> None:
    assert found("tls", spoken=()).level == "warn"


def test_what_puts_the_service_back_by_itself_is_refused_with_the_way_around() -> None:
    check = found("gitops", ownership=(Ownership("Argo CD", "shop", reverts=True),))

    assert (check.level, "Argo CD (shop)" in check.message) == ("refuse", True)
    assert "kubectl grpclb fix greeter -n shop --dry-run prints the manifests" in check.do


def test_helm_is_warned_of() -> None:
    check = found("helm", ownership=(Ownership("Helm", "shop", reverts=False),))

    assert (check.level, "helm upgrade" in check.message) == ("warn", True)


def numbered(subdomain: str) -> tuple[kube.Pod, ...]:
    """Pods of a StatefulSet whose governing Service is this one."""
    return pods([{**each, "spec": {**each["spec"], "subdomain": subdomain}} for each in servers()])


def test_a_headless_service_that_names_single_pods_is_not_led_elsewhere() -> None:
    check = found("pod-names", known(service=HEADLESS), pods=numbered("greeter"))

    assert check.level == "refuse"
    assert ", as greeter-7c9f8d5b6-b8v2n.greeter (greeter-7c9f8d5b6-b8v2n, " in check.message


def test_names_under_another_service_are_not_touched() -> None:
    assert "pod-names" not in refused(known(service=HEADLESS), pods=numbered("greeter-peers"))


def test_a_service_with_an_address_of_its_own_names_no_pods() -> None:
    assert refused(pods=numbered("greeter")) == []


def test_network_policies_of_another_kind_are_said_not_to_be_read() -> None:
    check = found("other-policies", other_policies=("CiliumNetworkPolicies", "NetworkPolicies of Calico"))

    assert check.level == "warn"
    assert "CiliumNetworkPolicies and NetworkPolicies of Calico, which are not read here" in check.message


def other(name: str, **selector: str) -> kube.Service:
    return kube.Service(kube.Metadata(name=name), kube.ServiceSpec(selector=selector or None))


def test_another_service_that_would_match_envoys_pods_is_refused() -> None:
    matching = other("everything", **{"app.kubernetes.io/managed-by": "kubectl-grpclb"})

    assert refused(other_services=(matching, other("cart", app="cart"), other("external"))) == ["other-service"]


def test_the_bundles_own_headless_service_is_no_other() -> None:
    assert refused(other_services=(other("greeter-grpclb-pods", app="greeter-grpclb-envoy"),)) == []


def test_services_that_could_not_be_read_are_warned_of() -> None:
    assert found("other-service", other_services=GAP).level == "warn"


def test_a_named_port_that_differs_among_pods_is_refused() -> None:
    mixed = facts([pod(11, lasting(1)), pod(12, lasting(0), target_port=50052)])

    assert "50051 and 50052" in found("named-ports", mixed).message


def test_a_port_that_is_not_tcp_is_refused() -> None:
    udp = live(ports=[{"name": "grpc", "port": 80}, {"name": "discovery", "port": 7000, "protocol": "UDP"}])

    assert "port 7000 (discovery, UDP)" in found("ports", service=udp).message


def test_more_ports_are_warned_of_as_passed_through() -> None:
    metrics = live(ports=[{"name": "grpc", "port": 80}, {"name": "metrics", "port": 9090}])

    check = found("ports", service=metrics)

    assert (check.level, check.message.startswith("port 9090 (metrics) of the Service goes through Envoy")) == (
        "warn",
        True,
    )


def test_a_name_that_is_taken_is_refused() -> None:
    assert refused(taken=("ConfigMap/greeter-grpclb",)) == ["names"]


@pytest.mark.parametrize(
    ("changes", "stops"),
    [
        ({"internal_traffic_policy": "Local"}, ["traffic-policy"]),
        ({"external_traffic_policy": "Local", "type": "LoadBalancer"}, ["traffic-policy"]),
        ({"external_traffic_policy": "Local", "type": "ClusterIP"}, []),
        ({"session_affinity": True}, []),
        ({"traffic_distribution": "PreferSameZone"}, []),
    ],
)
def test_policies_that_need_an_endpoint_on_every_node_are_refused(changes: dict[str, Any], stops: list[str]) -> None:
    assert refused(service(**changes)) == stops


def test_affinity_is_warned_of() -> None:
    assert found("session-affinity", service(session_affinity=True)).level == "warn"


def test_more_endpoints_than_dns_can_give_are_refused() -> None:
    many = facts([pod(number, lasting(0)) for number in range(251)])

    assert "EDS" in found("endpoints", many).do


def test_no_ready_endpoint_is_refused() -> None:
    assert "endpoints" in refused(facts([pod(11, lasting(0), ready=False)]))


@pytest.mark.parametrize(
    "changes", [{"external_name": "greeter.example.com", "type": "ExternalName"}, {"selector": {}}]
)
def test_a_service_without_a_selector_is_refused(changes: dict[str, Any]) -> None:
    assert refused(service(**changes)) == ["type"]


@pytest.mark.parametrize(("port", "stops"), [(443, ["type"]), (19000, ["type"]), (50051, [])])
def test_a_headless_services_port_has_to_be_one_that_envoy_can_listen_on(port: int, stops: list[str]) -> None:
    headless = known(service=HEADLESS)

    assert refused(replace(headless, target=replace(headless.target, target_port=port))) == stops


def test_a_port_below_1024_is_no_matter_behind_a_cluster_address() -> None:
    low = known()

    assert refused(replace(low, target=replace(low.target, target_port=443))) == []


def test_publishing_pods_that_are_not_ready_is_warned_of() -> None:
    assert found("type", service=live(publishNotReadyAddresses=True)).level == "warn"


def test_a_check_is_plain_data() -> None:
    checks = preflight(known(), around(), INTENT)

    assert msgspec.json.decode(msgspec.json.encode(checks), type=tuple[Check, ...]) == checks


def test_a_server_older_than_those_that_this_was_tried_with_is_warned_of_and_refused_nothing() -> None:
    old = found("server", known(server_version="v1.24.17"))

    assert (old.level, old.do) == ("warn", "Let the server admit it before anything is changed (--dry-run=server).")
    assert "v1.24.17, older than 1.27" in old.message


@pytest.mark.parametrize("version", [None, "v1.27.0", "v1.38.0"])
def test_of_any_other_server_no_fix_warns(version: str | None) -> None:
    assert names(preflight(known(server_version=version), around(), INTENT), "warn") == ["peer-address"]
