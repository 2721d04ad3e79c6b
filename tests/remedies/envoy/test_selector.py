"""What the Service selects after the cut-over: whatever the original selector is, Envoy's pods and nothing else."""

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.plan import Patch, Plan
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions
from kubectl_grpclb.remedies.envoy.plan import plan_envoy
from tests.remedies.builders import around, known, live
from tests.remedies.envoy.builders import INSTALLATION, made, planned, pod_of
from tests.report.builders import report

UNHURRIED = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = st.sampled_from(
    [
        "app",
        "name",
        "k8s-app",
        "tier",
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/part-of",
        "example.com/role",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["greeter", "envoy", "grpc-balancer", "Helm", "kubectl-grpclb"]),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True),
)
SELECTORS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)
NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


def of(name: str, selector: dict[str, str]) -> Plan:
    """Plan for a Service of that name and selector."""
    facts = known()
    service = live(selector=selector)
    service["metadata"]["name"] = name
    return plan_envoy(
        replace(facts, target=replace(facts.target, service=name)),
        report("unbalanced"),
        around(service=service),
        EnvoyOptions(),
        INSTALLATION,
        (),
    )


def change_of(plan: Plan) -> Patch:
    """Give the cut-over."""
    assert plan.change is not None
    return plan.change


def selected_after(plan: Plan) -> dict[str, str]:
    """Give the selector after the cut-over."""
    after = change_of(plan).fields[0].after
    assert isinstance(after, dict)
    return after


def labels_of(plan: Plan) -> dict[str, str]:
    """Give the labels of Envoy's pods."""
    labels: dict[str, str] = pod_of(plan)["metadata"]["labels"]
    return labels


@UNHURRIED
@given(NAMES, SELECTORS)
def test_the_new_selector_has_the_keys_of_the_original_and_one_value_changed(
    name: str, selector: dict[str, str]
) -> None:
    after = selected_after(of(name, selector))

    assert after.keys() == selector.keys()
    assert len(after.items() - selector.items()) == 1


@UNHURRIED
@given(NAMES, SELECTORS)
def test_the_new_selector_matches_envoys_pods(name: str, selector: dict[str, str]) -> None:
    plan = of(name, selector)

    assert selected_after(plan).items() <= labels_of(plan).items()


@UNHURRIED
@given(NAMES, SELECTORS)
def test_the_original_selector_never_matches_envoys_pods(name: str, selector: dict[str, str]) -> None:
    plan = of(name, selector)

    assert not selector.items() <= labels_of(plan).items()
    assert made(plan, "Service")["spec"]["selector"] == selector


@UNHURRIED
@given(NAMES, SELECTORS)
def test_the_workload_selects_its_own_pods_whatever_the_service_selects(name: str, selector: dict[str, str]) -> None:
    plan = of(name, selector)

    assert made(plan, "Deployment")["spec"]["selector"]["matchLabels"].items() <= labels_of(plan).items()


@UNHURRIED
@given(NAMES, SELECTORS)
def test_names_and_label_values_are_dns_labels_of_at_most_63_characters(name: str, selector: dict[str, str]) -> None:
    plan = of(name, selector)

    names = [each.manifest["metadata"]["name"] for each in plan.create]
    assert max(map(len, [*names, *labels_of(plan).values()])) <= 63
    assert not [each for each in names if each.startswith("-") or each.endswith("-")]


def test_a_key_by_which_another_service_would_match_envoy_is_not_the_one_that_is_changed() -> None:
    selector = {"app": "greeter", "tier": "backend"}
    tiers = kube.Service(kube.Metadata(name="backends"), kube.ServiceSpec(selector={"tier": "backend"}))

    after = selected_after(planned(service=live(selector=selector), other_services=(tiers,)))

    assert after == {"app": "greeter", "tier": "greeter-grpclb-envoy"}


def test_the_key_that_names_the_application_is_changed_where_none_is_in_the_way() -> None:
    after = selected_after(planned(service=live(selector={"tier": "backend", "app.kubernetes.io/name": "greeter"})))

    assert after == {"tier": "backend", "app.kubernetes.io/name": "greeter-grpclb-envoy"}


@UNHURRIED
@given(SELECTORS)
def test_the_cut_over_taken_back_is_the_original_selector(selector: dict[str, str]) -> None:
    assume("greeter-grpclb-envoy" not in selector.values())

    back = change_of(of("greeter", selector)).inverted("the way it was")

    assert back.fields[0].after == selector
    assert back.fields[0].before == selected_after(of("greeter", selector))
