"""Everything that is read before a fix: the diagnosis, the surroundings, the receipt of an earlier one."""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from kubectl_grpclb.change.receipts import load
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.diagnose import diagnosed, recorded
from kubectl_grpclb.flows.earlier import State, before_of, installation_for, on_top_of, state_of, strategy_for
from kubectl_grpclb.flows.permissions import permitted_plan
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.bundle import bundle_of, is_labelled
from kubectl_grpclb.model.errors import BadReceiptError, ClusterError, UsageError
from kubectl_grpclb.model.facts import Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Manifest, Plan
from kubectl_grpclb.model.receipt import Receipt
from kubectl_grpclb.model.snapshot import Snapshot
from kubectl_grpclb.model.surroundings import Spoken, Surroundings
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Denied, Done
from kubectl_grpclb.probes.ask import Ask, Observer
from kubectl_grpclb.probes.derive import ask_of, derive
from kubectl_grpclb.probes.service import the_service
from kubectl_grpclb.probes.surroundings import derive_surroundings, request_surroundings
from kubectl_grpclb.remedies import plan_for
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions
from kubectl_grpclb.remedies.envoy.plan import Installation

__all__ = ["Prepared", "planned_from", "prepare"]

_GREETED = 5
"""Ready pods that are spoken to; they run one image, as a rule."""

_GREETING_SECONDS = 5.0

_GATEWAY = ("gateway.networking.k8s.io/v1", "grpcroutes")

_POLICIES = (
    ("CiliumNetworkPolicies", "cilium.io/v2", "ciliumnetworkpolicies"),
    ("NetworkPolicies of Calico", "crd.projectcalico.org/v1", "networkpolicies"),
    ("AdminNetworkPolicies", "policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies"),
)
"""What else may keep packets from Envoy: what it is called, and how the API serves it."""


class Prepared(Struct, frozen=True):
    """What a fix goes by."""

    snapshot: Snapshot
    facts: Facts
    report: Report
    receipt: Receipt | None
    state: State
    service: Manifest
    """The Service as it is now."""
    choices: dict[str, Any]
    """What the user chose of Envoy, now or in an earlier fix; everything else is this version's default."""
    installation: Installation
    plan: Plan


async def prepare(cluster: Workshop, ask: Ask, wishes: Wishes, observe: Observer) -> Prepared:
    """Read, diagnose, look around and plan. Changes nothing. Raises GrpclbError."""
    snapshot, service, receipt = await asyncio.gather(
        recorded(cluster, ask, observe),
        cluster.fetch("services", ask.namespace, ask.service),
        load(cluster, ask.namespace, ask.service),
    )
    if isinstance(service, Denied):
        raise ClusterError(f"could not read Service {printable(ask.service)}: {printable(service.message)}")
    facts, report = derive(snapshot), diagnosed(snapshot)
    state = state_of(receipt, service.object)
    choices = {**(receipt.options if receipt else {}), **wishes.envoy}
    options = _options(choices)
    if state == "in use" and options.autoscaling and receipt and not receipt.options.get("autoscaling"):
        raise UsageError(
            "--autoscale is for a new fix: given to Envoys that serve already, Kubernetes would first scale them down "
            f"to one. `{_autoscale(ask, options)}` adds an autoscaler without that"
        )
    around = await _look_around(cluster, snapshot, facts, before_of(service.object, receipt, state), options)
    installation = installation_for(receipt)
    strategy = strategy_for(wishes, receipt, state, ask.aim)
    asked = wishes.strategy != "auto"
    plan = plan_for(facts, report, around, options, installation, strategy=strategy, asked=asked)
    plan = on_top_of(receipt, _upgrade(plan) if state == "in use" else plan, facts, service.object)
    plan = await permitted_plan(cluster, ask, plan, options, receipt, wishes.recycle)
    return Prepared(snapshot, facts, report, receipt, state, service.object, choices, installation, plan)


def _options(choices: dict[str, Any]) -> EnvoyOptions:
    """Make options of what was chosen now and earlier: a later version may have written what there is not here."""
    try:
        return msgspec.convert(choices, EnvoyOptions)
    except msgspec.ValidationError as error:
        raise BadReceiptError(
            f"the receipt of the fix has Envoy settings that this version does not know: {printable(str(error))}. "
            "Update kubectl-grpclb, or roll the fix back"
        ) from error


def _autoscale(ask: Ask, options: EnvoyOptions) -> str:
    most = options.autoscaling.most if options.autoscaling else options.replicas
    limits = (f"--min={options.replicas}", f"--max={most}")
    return ask.aim.kubectl("autoscale", "deployment", bundle_of(ask.service).envoy, options=limits)


def _upgrade(plan: Plan) -> Plan:
    """Plan for a Service that leads to Envoy already: the bundle is applied again, the Service stays as it is."""
    title = f"Bring the Envoys of {plan.target.service} up to date; the Service already leads to them"
    return msgspec.structs.replace(plan, title=title, change=None)


def planned_from(snapshot: Snapshot, wishes: Wishes) -> Plan:
    """Plan from what was recorded alone: what only the cluster could tell is not checked, and the plan says so.

    Raises BadSnapshotError.
    """
    facts, report = derive(snapshot), diagnosed(snapshot)
    found = the_service(snapshot.readings, ask_of(snapshot))
    service = {"metadata": {"resourceVersion": ""}, **msgspec.to_builtins(found)}
    service["metadata"] = {"resourceVersion": "", "uid": "", **service["metadata"]}
    around = derive_surroundings(facts, snapshot.readings, service)
    options = msgspec.convert(wishes.envoy, EnvoyOptions)
    return plan_for(facts, report, around, options, installation_for(None), strategy=wishes.strategy)


async def _look_around(
    cluster: Workshop, snapshot: Snapshot, facts: Facts, service: Manifest, options: EnvoyOptions
) -> Surroundings:
    namespace = facts.target.namespace
    readings, there, budgets, gateway, policies, spoken = await asyncio.gather(
        asyncio.gather(*map(cluster.read, request_surroundings(namespace))),
        _there(cluster, facts, options),
        cluster.fetch_all("poddisruptionbudgets", namespace, ""),
        cluster.serves(*_GATEWAY),
        asyncio.gather(*(cluster.serves(group, resource) for _, group, resource in _POLICIES)),
        _spoken(cluster, facts),
    )
    return derive_surroundings(
        facts=facts,
        readings=[*snapshot.readings, *readings],
        service=service,
        taken=_taken(there, facts.target.service),
        gateway_api=gateway,
        other_policies=[name for (name, _, _), served in zip(_POLICIES, policies, strict=True) if served],
        spoken=spoken,
        standing=[each for each in there if is_labelled(each, facts.target.service) and not Done(each).is_ending],
        budgets=budgets,
    )


async def _there(cluster: Workshop, facts: Facts, options: EnvoyOptions) -> list[Manifest]:
    """Find the objects that have a name which the bundle needs."""
    bundle = bundle_of(facts.target.service)
    needed = [
        ("services", bundle.headless),
        ("configmaps", bundle.envoy),
        ("deployments", bundle.envoy),
        ("poddisruptionbudgets", bundle.envoy),
        ("configmaps", bundle.receipt),
        ("leases", bundle.receipt),
    ]
    if options.autoscaling:
        needed.append(("horizontalpodautoscalers", bundle.envoy))
    if options.network_policy:
        needed.append(("networkpolicies", bundle.envoy))
    found = await asyncio.gather(*(cluster.fetch(each, facts.target.namespace, name) for each, name in needed))
    return [outcome.object for outcome in found if isinstance(outcome, Done)]


def _taken(there: Iterable[Manifest], service: str) -> tuple[str, ...]:
    """Name those that are not ours."""
    return tuple(f"{each['kind']}/{each['metadata']['name']}" for each in there if not is_labelled(each, service))


async def _spoken(cluster: Workshop, facts: Facts) -> tuple[Spoken, ...]:
    """Speak gRPC to some ready pods: whether they speak it without TLS, and answer health checks."""
    ready = [pod for pod in facts.pods if pod.ready and pod.target_port is not None]
    namespace = facts.target.namespace
    heard = await asyncio.gather(
        *(cluster.greet(namespace, pod.name, pod.target_port or 0, _GREETING_SECONDS) for pod in ready[:_GREETED])
    )
    return tuple(
        Spoken(pod.name, pod.target_port or 0, answer, answer)
        if isinstance(answer, Gap)
        else Spoken(pod.name, pod.target_port or 0, answer.protocol, answer.healthy)
        for pod, answer in zip(ready, heard, strict=False)
    )
