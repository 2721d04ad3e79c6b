"""The objects of the bundle: what is in them, and what must never be."""

import re
from pathlib import Path

import pytest
import yaml

from kubectl_grpclb.model.surroundings import Scaled
from kubectl_grpclb.remedies.envoy.options import Autoscaling, EnvoyOptions
from kubectl_grpclb.remedies.envoy.pod import CHECKSUM
from kubectl_grpclb.report.manifests import as_yaml
from tests.remedies.builders import live
from tests.remedies.envoy.builders import INSTALLATION, config_of, container_of, listeners_of, made, planned, pod_of

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy" / "plain.yaml"


def test_the_plain_bundle_is_the_accepted_one(update_goldens: bool) -> None:
    got = as_yaml(planned())

    if update_goldens:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(got)
    assert got == GOLDEN.read_text()


def test_the_same_facts_give_the_same_plan() -> None:
    assert planned() == planned()


def test_the_bundle_is_brought_about_with_the_servers_names_first_and_envoy_after_its_configuration() -> None:
    assert [each.manifest["kind"] for each in planned().create] == [
        "Service",
        "ConfigMap",
        "PodDisruptionBudget",
        "Deployment",
    ]


def test_every_object_says_whose_it_is_and_who_made_it() -> None:
    metadata = [each.manifest["metadata"] for each in planned().create]

    assert {each["labels"]["grpclb/service"] for each in metadata} == {"greeter"}
    assert {each["labels"]["app.kubernetes.io/managed-by"] for each in metadata} == {"kubectl-grpclb"}
    assert {each["annotations"]["grpclb/tool"] for each in metadata} == {"kubectl-grpclb 0.2.0"}
    assert {each["namespace"] for each in metadata} == {"shop"}


def test_the_headless_service_selects_the_servers_and_maps_no_ports() -> None:
    spec = made(planned(), "Service")["spec"]

    assert spec["clusterIP"] == "None"
    assert spec["selector"] == {"app": "greeter"}
    assert spec["ports"] == [{"port": 50051, "targetPort": 50051, "protocol": "TCP", "name": "grpc"}]


def test_the_headless_service_has_the_families_of_the_original() -> None:
    service = live(ipFamilies=["IPv6", "IPv4"], ipFamilyPolicy="RequireDualStack")

    spec = made(planned(service=service), "Service")["spec"]

    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv6", "IPv4"], "RequireDualStack")


def test_the_pods_keep_to_the_restricted_pod_security_level() -> None:
    plan = planned()

    pod, container = pod_of(plan)["spec"], container_of(plan)["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] != 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["readOnlyRootFilesystem"] is True
    assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} <= {"configMap", "emptyDir"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_the_pods_get_no_token_of_the_api_server() -> None:
    assert pod_of(planned())["spec"]["automountServiceAccountToken"] is False


def test_a_rolling_update_takes_no_envoy_away_before_another_is_ready() -> None:
    strategy = made(planned(), "Deployment")["spec"]["strategy"]["rollingUpdate"]

    assert strategy["maxUnavailable"] == 0
    assert strategy["maxSurge"] >= 1


def test_the_deployment_and_the_budget_select_by_labels_that_only_envoy_has() -> None:
    plan = planned()

    only_envoy = {"grpclb/service": "greeter", "grpclb/part": "envoy"}
    assert made(plan, "Deployment")["spec"]["selector"]["matchLabels"] == only_envoy
    assert made(plan, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == only_envoy
    assert only_envoy.items() <= pod_of(plan)["metadata"]["labels"].items()


def test_the_drain_path_is_in_the_config_map_and_the_deployment_only() -> None:
    plan = planned()

    told = [each.manifest["kind"] for each in plan.create if INSTALLATION.drain_path in yaml.safe_dump(each.manifest)]
    assert told == ["ConfigMap", "Deployment"]
    assert INSTALLATION.drain_path not in repr((plan.change, plan.why, plan.wont, plan.checks, plan.advice))


def test_the_kubelet_waits_longer_than_the_drain_before_it_kills() -> None:
    plan = planned()

    script = yaml.safe_dump(plan.create[1].manifest)
    most = max(int(seconds) for seconds in re.findall(r"for second = 1, (\d+) do", script))
    assert most == 300
    assert pod_of(plan)["spec"]["terminationGracePeriodSeconds"] > most


def test_an_envoy_that_is_to_end_before_it_has_begun_hears_it() -> None:
    assert pod_of(planned())["spec"]["shareProcessNamespace"] is True


def test_the_probes_ask_the_status_port_and_prestop_the_drain_port() -> None:
    plan = planned()

    container, listeners = container_of(plan), listeners_of(plan)
    probed = {container[each]["httpGet"]["port"] for each in ("readinessProbe", "startupProbe", "livenessProbe")}
    assert probed == {listeners["status"]["port_value"]}
    assert container["lifecycle"]["preStop"]["httpGet"]["port"] == listeners["drain"]["port_value"]


def test_the_admin_interface_and_the_proof_listen_on_loopback_only() -> None:
    plan = planned()

    assert config_of(plan)["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    assert listeners_of(plan)["proof"]["address"] == "127.0.0.1"


def test_another_configuration_brings_new_pods() -> None:
    one, other = planned(), planned(EnvoyOptions(balancing="least-request"))

    assert pod_of(one)["metadata"]["annotations"][CHECKSUM] != pod_of(other)["metadata"]["annotations"][CHECKSUM]


def test_an_autoscaler_alone_decides_how_many_envoys_there_are() -> None:
    plan = planned(EnvoyOptions(autoscaling=Autoscaling(most=8)))

    autoscaler = made(plan, "HorizontalPodAutoscaler")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 8)
    assert autoscaler["scaleTargetRef"]["name"] == made(plan, "Deployment")["metadata"]["name"]
    assert "replicas" not in made(plan, "Deployment")["spec"]


def test_whoever_scaled_the_envoys_goes_on_to_decide_how_many_there_are() -> None:
    plan = planned(EnvoyOptions(replicas=2), scaled=Scaled("kube-controller-manager", 6))

    assert "replicas" not in made(plan, "Deployment")["spec"]
    assert (
        "It does not change how many Envoys there are, whatever --replicas says: kube-controller-manager set it, to 6."
        in plan.wont
    )


def test_a_network_policy_opens_what_clients_and_scrapes_need_and_no_drain() -> None:
    plan = planned(EnvoyOptions(network_policy=True))

    rules = made(plan, "NetworkPolicy")["spec"]["ingress"]
    opened = {each["port"] for rule in rules for each in rule["ports"]}
    listeners = listeners_of(plan)
    assert {listeners["grpc"]["port_value"], listeners["status"]["port_value"]} <= opened
    assert listeners["drain"]["port_value"] not in opened
    assert 19000 not in opened


def test_replicas_and_image_are_the_users() -> None:
    plan = planned(EnvoyOptions(replicas=5, image="registry.example.com/envoy:1.40.0"))

    assert made(plan, "Deployment")["spec"]["replicas"] == 5
    assert container_of(plan)["image"] == "registry.example.com/envoy:1.40.0"


@pytest.mark.parametrize(
    ("families", "family", "address"),
    [
        (["IPv4"], "V4_ONLY", "0.0.0.0"),
        (["IPv6"], "V6_ONLY", "::"),
        (["IPv4", "IPv6"], "V4_PREFERRED", "::"),
        (["IPv6", "IPv4"], "AUTO", "::"),
    ],
)
def test_envoy_listens_and_resolves_in_the_families_of_the_service(
    families: list[str], family: str, address: str
) -> None:
    plan = planned(service=live(ipFamilies=families))

    servers = next(each for each in config_of(plan)["static_resources"]["clusters"] if each["name"] == "servers")
    assert servers["cluster_type"]["typed_config"]["dns_lookup_family"] == family
    assert listeners_of(plan)["grpc"]["address"] == address


def test_the_servers_are_found_by_the_full_name_of_the_headless_service() -> None:
    config = made(planned(), "ConfigMap")["data"]["envoy.yaml"]

    assert "greeter-grpclb-pods.shop.svc.cluster.local." in config


def test_every_cluster_of_servers_takes_more_than_the_1024_connections_of_envoys_default() -> None:
    service = live(
        ports=[
            {"name": "grpc", "port": 80, "targetPort": "grpc", "protocol": "TCP"},
            {"name": "admin", "port": 9090, "targetPort": 9090, "protocol": "TCP"},
        ]
    )

    clusters = config_of(planned(service=service))["static_resources"]["clusters"]

    servers = [each for each in clusters if each["name"].startswith("servers")]
    limits = [limit["max_connections"] for each in servers for limit in each["circuit_breakers"]["thresholds"]]
    assert len(servers) == 2
    assert set(limits) == {1_000_000}
