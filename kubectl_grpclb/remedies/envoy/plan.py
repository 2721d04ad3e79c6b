"""The Envoy remedy: a headless Service, Envoys that balance requests over it, and the Service re-pointed to them."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.model import kube
from kubectl_grpclb.model.bundle import Bundle, bundle_of
from kubectl_grpclb.model.facts import Client, Facts
from kubectl_grpclb.model.finding import Report
from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.plan import Check, EnvoyPorts, Field, Patch, Plan
from kubectl_grpclb.model.surroundings import Scaled, Surroundings
from kubectl_grpclb.remedies.cures import cured_by
from kubectl_grpclb.remedies.envoy.config import Family, Forwarded, Upstream
from kubectl_grpclb.remedies.envoy.manifests import creations
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions, Port
from kubectl_grpclb.remedies.envoy.parts import Parts, envoy_labels, pod_labels
from kubectl_grpclb.remedies.envoy.pod import container_ports
from kubectl_grpclb.remedies.envoy.ports import free_ports, one_each, resolve_ports
from kubectl_grpclb.remedies.preflight import Intent, preflight
from kubectl_grpclb.remedies.preflight.disruption import over_envoy
from kubectl_grpclb.remedies.restarts import restarts

__all__ = ["Installation", "plan_envoy"]

_PREFERRED_KEYS = ("app", "app.kubernetes.io/name", "k8s-app", "name")
"""Which of a selector's keys names the application, as a rule."""


class Installation(Struct, frozen=True):
    """What is drawn once for a bundle and kept in its receipt."""

    drain_path: str
    """Unguessable: whoever knows it can make an Envoy drain."""
    tool: str
    """Name and version of this program."""
    marked: str = ""
    """The selector's key whose value tells Envoy from the servers; empty where it is still to be chosen."""
    renewed: str = ""
    """On Envoy's pods, so that others take their place where these were told to drain; empty where none were."""


def plan_envoy(
    facts: Facts,
    report: Report,
    around: Surroundings,
    options: EnvoyOptions,
    installation: Installation,
    why: Sequence[str],
) -> Plan:
    """Plan the bundle and the cut-over. Pure: the same facts give the same plan.

    What keeps it from being carried out is among the plan's checks.
    """
    spec = around.service["spec"]
    ports = resolve_ports(spec, facts, around.pods)
    if isinstance(ports, str):
        return _unresolved(facts, report, ports)
    if not any(port.grpc for port in ports):
        return _unresolved(facts, report, "the Service has no such port")
    bundle = bundle_of(facts.target.service)
    selector: dict[str, str] = spec.get("selector") or {}
    marked = installation.marked if installation.marked in selector else _marked(selector, bundle, around)
    parts = _parts(facts, around, options, installation, bundle, ports, marked)
    intent = Intent(
        bundle=bundle,
        envoy_labels=pod_labels(parts),
        listen_ports=tuple(sorted({port.listen for port in ports})),
        replicas=options.replicas,
        cpu_request=options.cpu_request,
        memory_request=options.memory_request,
        memory_limit=options.memory_limit,
        port_names=container_ports(parts),
        own_policy=options.network_policy,
    )
    return Plan(
        target=facts.target,
        strategy="envoy",
        title=f"Put Envoy before the pods of {facts.target.service}: it balances requests, not connections",
        findings=cured_by("envoy", report),
        why=tuple(why),
        create=creations(replace(parts, own_budget=not over_envoy(around, intent))),
        change=_cut_over(facts, around, parts),
        ports=EnvoyPorts(listen=parts.upstream.listen_port, proof=parts.upstream.proof_port),
        restart=restarts(facts.clients, without=f"Deployment/{bundle.envoy}"),
        wont=_wont(facts.clients, None if options.autoscaling else around.scaled),
        connections=_CONNECTIONS,
        checks=preflight(facts, around, intent),
    )


_CONNECTIONS = "Connections that are open now stay where they are until they close; only new ones go through Envoy."


def _parts(
    facts: Facts,
    around: Surroundings,
    options: EnvoyOptions,
    installation: Installation,
    bundle: Bundle,
    ports: tuple[Port, ...],
    marked: str,
) -> Parts:
    spec = around.service["spec"]
    families = tuple(spec.get("ipFamilies") or ("IPv4",))
    return Parts(
        bundle=bundle,
        namespace=facts.target.namespace,
        selector=spec.get("selector") or {},
        marked=marked,
        ports=ports,
        families=families,
        family_policy=spec.get("ipFamilyPolicy"),
        upstream=_upstream(facts, around, options, installation, bundle, ports, families),
        options=options,
        tool=installation.tool,
        renewed=installation.renewed,
        scaled=around.scaled is not None,
    )


def _upstream(
    facts: Facts,
    around: Surroundings,
    options: EnvoyOptions,
    installation: Installation,
    bundle: Bundle,
    ports: tuple[Port, ...],
    families: tuple[str, ...],
) -> Upstream:
    domain = f"{facts.target.namespace}.svc.{facts.cluster_domain}."
    grpc = next(port for port in ports if port.grpc)
    used = [number for port in ports for number in (port.listen, port.target)]
    proof, status, drain = free_ports(used, 3)
    return Upstream(
        servers=f"{bundle.headless}.{domain}",
        target_port=grpc.target,
        listen_port=grpc.listen,
        service=f"{facts.target.service}.{domain}",
        service_port=grpc.target if facts.service.headless else grpc.number,
        family=_family(families),
        balancing=options.balancing,
        health_checked=bool(around.spoken) and all(spoken.health is True for spoken in around.spoken),
        forwarded=tuple(Forwarded(port.listen, port.target) for port in one_each(ports) if port.target != grpc.target),
        drain_path=installation.drain_path,
        drain_port=drain,
        status_port=status,
        proof_port=proof,
        connection_age=options.connection_age,
        access_log=options.access_log,
    )


def _family(families: Sequence[str]) -> Family:
    if len(families) == 1:
        return "V6_ONLY" if families[0] == "IPv6" else "V4_ONLY"
    return "AUTO" if families[0] == "IPv6" else "V4_PREFERRED"


def _cut_over(facts: Facts, around: Surroundings, parts: Parts) -> Patch:
    metadata, spec = around.service["metadata"], around.service["spec"]
    selector, offered = parts.selector, container_ports(parts)
    moved = (
        Field(path=f"/spec/ports/{place}/targetPort", before=before, after=port.listen)
        for place, before in enumerate(each.get("targetPort") for each in spec.get("ports") or ())
        for port in parts.ports
        if port.number == spec["ports"][place]["port"] and port.listen not in {before, offered.get(before)}
    )
    return Patch(
        resource="services",
        kind="Service",
        namespace=facts.target.namespace,
        name=facts.target.service,
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        fields=(
            Field(path="/spec/selector", before=selector, after=envoy_labels(parts.bundle, selector, parts.marked)),
            *moved,
        ),
        why="new connections of clients go to Envoy; the same keys, so that the original manifest, applied again, "
        "brings the old path back",
    )


def _marked(selector: Mapping[str, str], bundle: Bundle, around: Surroundings) -> str:
    """Choose the key whose value tells Envoy from the servers: one that no other Service then matches by."""
    keys = [*(key for key in _PREFERRED_KEYS if key in selector), *sorted(selector.keys() - set(_PREFERRED_KEYS))]
    others = () if isinstance(around.other_services, Gap) else around.other_services
    free = (key for key in keys if not any(_selects(other, {**selector, key: bundle.envoy}) for other in others))
    return next(free, keys[0] if keys else "app")


def _selects(service: kube.Service, labels: Mapping[str, str]) -> bool:
    selector = service.spec.selector or {}
    return bool(selector) and selector.items() <= labels.items()


def _wont(clients: Iterable[Client], scaled: Scaled | None) -> tuple[str, ...]:
    said = [
        "It restarts none of the servers and changes nothing of theirs.",
        "It does not wait for ever for an Envoy that is to end: streams that run 5 minutes longer are cut.",
    ]
    stuck = [client.name for client in clients if client.lasting and not client.owner]
    if stuck:
        said.append(f"It cannot restart clients that no workload owns: {', '.join(stuck[:5])}.")
    if scaled is not None:
        said.append(
            "It does not change how many Envoys there are, whatever --replicas says: "
            f"{scaled.by} set it, to {scaled.replicas}."
        )
    return tuple(said)


def _unresolved(facts: Facts, report: Report, reason: str) -> Plan:
    check = Check(
        level="refuse",
        name="ports",
        message=f"Envoy has to know which port the servers listen on, and it cannot be told: {reason}",
        do="give the container port that name in every pod, or a number as the Service's targetPort",
    )
    return Plan(
        target=facts.target,
        strategy="envoy",
        title=f"Put Envoy before the pods of {facts.target.service}",
        findings=cured_by("envoy", report),
        why=(),
        checks=(check,),
    )
