"""What a request is called in the words of access control, and the rule that allows it."""

from kubectl_grpclb.model.rbac import describe, rule_for
from kubectl_grpclb.model.snapshot import AskEnvoy, Exec, Get, List


def test_a_list_is_described_with_its_group_and_namespace() -> None:
    request = List("endpointslices", "shop", label_selector="kubernetes.io/service-name=greeter")

    assert describe(request) == "list endpointslices.discovery.k8s.io in namespace shop"
    assert rule_for(request) == 'apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"]'


def test_a_list_of_every_namespace_says_so() -> None:
    assert describe(List("pods")) == "list pods in every namespace"
    assert rule_for(List("pods")) == 'apiGroups: [""], resources: ["pods"], verbs: ["list"]'


def test_a_get_is_described_with_its_name() -> None:
    assert describe(Get("services", "greeter", "shop")) == "get services greeter in namespace shop"
    assert describe(Get("nodes", "node-a")) == "get nodes node-a"


def test_an_exec_needs_both_verbs() -> None:
    request = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("sh",), 5.0)

    assert describe(request) == "exec in pod greeter-7c9f8d5b6-x2x9k in namespace shop"
    assert rule_for(request) == 'apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]'


def test_asking_envoy_needs_a_port_forward() -> None:
    request = AskEnvoy("shop", "greeter-grpclb-envoy-6b7f9c8d4-e1e1e", "/clusters?format=json", 5.0)

    assert describe(request) == (
        "ask Envoy in pod greeter-grpclb-envoy-6b7f9c8d4-e1e1e in namespace shop for /clusters"
    )
    assert rule_for(request) == 'apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"]'
