"""Plans for Envoy in as many shapes as the tests need."""

from typing import Any

import yaml

from kubectl_grpclb.model.plan import Manifest, Plan
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions
from kubectl_grpclb.remedies.envoy.plan import Installation, plan_envoy
from tests.remedies.builders import around, known, live
from tests.report.builders import finding, report

INSTALLATION = Installation(drain_path="/drain-3q2-7wABAgMEBQYHCAkKCwwNDg8QERIT", tool="kubectl-grpclb 0.2.0")


def planned(options: EnvoyOptions | None = None, service: Manifest | None = None, **changes: Any) -> Plan:
    """Plan for the Service `greeter` with these options; `changes` are of the surroundings."""
    whole = service or live()
    return plan_envoy(
        known(),
        report("unbalanced", findings=(finding("GLB101"),)),
        around(service=whole, **changes),
        options or EnvoyOptions(),
        INSTALLATION,
        ("Envoy balances every call.",),
    )


def made(plan: Plan, kind: str) -> Manifest:
    """Give the plan's object of that kind; of the two Services there is only one that is made."""
    return next(each.manifest for each in plan.create if each.manifest["kind"] == kind)


def pod_of(plan: Plan) -> Manifest:
    """Give the template of Envoy's pods."""
    template: Manifest = made(plan, "Deployment")["spec"]["template"]
    return template


def container_of(plan: Plan) -> Manifest:
    """Give Envoy's container."""
    container: Manifest = pod_of(plan)["spec"]["containers"][0]
    return container


def config_of(plan: Plan) -> Manifest:
    """Give Envoy's configuration."""
    config: Manifest = yaml.load(made(plan, "ConfigMap")["data"]["envoy.yaml"], yaml.CSafeLoader)
    return config


def listeners_of(plan: Plan) -> dict[str, Manifest]:
    """Give the listeners' addresses by their names."""
    listeners = config_of(plan)["static_resources"]["listeners"]
    return {each["name"]: each["address"]["socket_address"] for each in listeners}
