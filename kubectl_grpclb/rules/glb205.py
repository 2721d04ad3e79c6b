"""GLB205: the Service leads nowhere: no ready endpoint, or a selector or port that fits no pod."""

from collections.abc import Sequence

from msgspec.structs import replace

from kubectl_grpclb.model.facts import Facts, Pod, ServicePort, Tier
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.words import names
from kubectl_grpclb.rules.assess import Assessment
from kubectl_grpclb.rules.dead_end import no_way_through
from kubectl_grpclb.rules.no_match import nothing_matches
from kubectl_grpclb.rules.rule import Claim, Rule
from kubectl_grpclb.rules.words import pods, seconds


def check(facts: Facts, load: Assessment) -> Sequence[Claim]:
    """Hold where no endpoint is ready, or where nothing listens on the port that the Service leads to."""
    if facts.tiers:
        return _through(facts, facts.tiers[0], load)
    if facts.service.external_name is not None:
        return (_outside(facts, facts.service.external_name),)
    return _straight(facts, load)


def _through(facts: Facts, tier: Tier, load: Assessment) -> Sequence[Claim]:
    """Look at the headless Service as at any other, unless the way ends before it."""
    if tier.servers is None or not any(pod.ready for pod in tier.pods):
        return (no_way_through(facts, tier),)
    if isinstance(tier.servers, Gap):
        return ()
    target = replace(facts.target, service=tier.headless)
    claims = _straight(replace(facts, service=tier.servers, target=target), load)
    return [replace(claim, subject=f"Service/{target.namespace}/{target.service}") for claim in claims]


def _straight(facts: Facts, load: Assessment) -> Sequence[Claim]:
    ready = [pod for pod in facts.pods if pod.ready]
    if not facts.pods:
        return (nothing_matches(facts),)
    if facts.service.port is not None and all(pod.target_port is None for pod in ready or facts.pods):
        return (_no_such_port(facts),)
    if not ready:
        return (_none_ready(facts),)
    cut_off = [pod for pod in ready if pod.target_port is None]
    deaf = [server.pod for server in load.servers if server.sockets.listening is False and not server.lasting]
    return [
        *([_cut_off(facts, facts.service.port, cut_off, load)] if facts.service.port and cut_off else []),
        *([_nothing_listens(facts, deaf, len(ready))] if deaf else []),
    ]


def _outside(facts: Facts, name: str) -> Claim:
    return Claim(
        message=(
            f"The Service is another name for {name}, which the cluster's DNS answers with. It has no endpoints here, "
            "so where its connections land cannot be seen from this cluster."
        ),
        evidence=["spec.type of the Service is ExternalName", f"spec.externalName is {name}"],
        confidence="high",
        explains=0.0,
        severity="info",
        next=[facts.aim.kubectl("get", "service", facts.target.service, options=("-o", "yaml"))],
    )


def _no_such_port(facts: Facts) -> Claim:
    port = facts.service.port
    if port is not None and _by_slices(facts, port):
        return _no_slice_port(facts, port)
    wanted = port.target if port else ""
    declared = f"they declare {names(facts.named_ports)}" if facts.named_ports else "they declare none"
    return Claim(
        message=(
            f"The Service leads to the port named {wanted}, but no container of its {pods(len(facts.pods))} has a "
            f"port of that name; {declared}. Without a number the endpoints carry no port, and connections are "
            "refused."
        ),
        evidence=[f"targetPort: {wanted}", f"container ports: {names(facts.named_ports, 8) or 'none'}"],
        confidence="high",
        explains=1.0,
        remedies=("port",),
        next=[_edit(facts)],
    )


def _cut_off(facts: Facts, port: ServicePort, without: Sequence[Pod], load: Assessment) -> Claim:
    """Say which ready pods the Service leads no connection to, for want of the port that the others have."""
    one = len(without) == 1
    who = names([pod.name for pod in without])
    if _by_slices(facts, port):
        why = f"The Service's EndpointSlices have no port named {port.name or 'as the Service port is'} for {who}."
    else:
        declared = names(list(dict.fromkeys(each for pod in without for each in pod.declares))) or "none"
        why = (
            f"The Service leads to the port named {port.target}, but no container of {who} has a port of that name; "
            f"{'it declares' if one else 'they declare'} {declared}."
        )
    left = sum(pod.ready for pod in facts.pods) - len(without)
    return Claim(
        message=(
            f"{why} So {'its endpoint carries' if one else 'their endpoints carry'} no port, and the Service leads no "
            f"connection to {'it' if one else 'them'}, but only to the other {'one' if left == 1 else left} that "
            f"{'is' if left == 1 else 'are'} ready."
        ),
        evidence=[
            f"targetPort: {port.target}",
            *(f"{pod.name}: container ports {names(pod.declares, 8) or 'none'}" for pod in without),
        ],
        confidence="high",
        explains=0.5 if load.unbalanced else 1.0,
        remedies=("port",),
        next=[_show_slices(facts)] if _by_slices(facts, port) else [*_edit_owners(facts, without), _edit(facts)],
    )


def _no_slice_port(facts: Facts, port: ServicePort) -> Claim:
    return Claim(
        message=(
            f"The Service's EndpointSlices have no port named {port.name or 'as the Service port is'}, so "
            f"connections to port {port.number} have nowhere to go. Slices written by hand must name "
            "their ports as the Service does."
        ),
        evidence=[f"Service port: {port.number} {port.name}".rstrip(), "EndpointSlices: no port of that name"],
        confidence="high",
        explains=1.0,
        remedies=("port",),
        next=[_show_slices(facts)],
    )


def _by_slices(facts: Facts, port: ServicePort) -> bool:
    """Tell whether the EndpointSlices alone say which number the port has, and no container's name of it does."""
    return isinstance(port.target, int) or not facts.service.selector


def _show_slices(facts: Facts) -> str:
    label = f"kubernetes.io/service-name={facts.target.service}"
    return facts.aim.kubectl("get", "endpointslices", options=("-l", label, "-o", "yaml"))


def _edit_owners(facts: Facts, without: Sequence[Pod]) -> list[str]:
    owners = sorted({tuple(pod.owner.partition("/")[::2]) for pod in without if pod.owner is not None})
    return [facts.aim.kubectl("edit", f"{kind.lower()}/{name}") for kind, name in owners]


def _none_ready(facts: Facts) -> Claim:
    first = facts.pods[0]
    says = f" {first.name} says: {_state(first)}." if _is_pod(first) else ""
    return Claim(
        message=f"{_led_to(facts)}, but none is ready. {_fate(facts)}{says}",
        evidence=[f"{pod.name}: {_state(pod)}{_old(pod)}" for pod in facts.pods],
        confidence="high",
        explains=1.0,
        remedies=("readiness",),
        next=_see_why(facts, first),
    )


def _led_to(facts: Facts) -> str:
    if facts.service.selector:
        return f"The Service selects {pods(len(facts.pods))}"
    count = len(facts.pods)
    what = pods(count) if all(map(_is_pod, facts.pods)) else "1 endpoint" if count == 1 else f"{count} endpoints"
    return f"The Service has no selector, and the EndpointSlices that somebody wrote for it name {what}"


def _is_pod(pod: Pod) -> bool:
    """Tell whether the endpoint is a pod, and not an address of something else."""
    return not (isinstance(pod.sockets, Gap) and pod.sockets.reason is GapReason.NOT_A_POD)


def _old(pod: Pod) -> str:
    return "" if pod.age is None else f", {seconds(pod.age)} old"


def _see_why(facts: Facts, first: Pod) -> list[str]:
    if not _is_pod(first):
        return [_show_slices(facts)]
    return [facts.aim.kubectl("describe", "pod", first.name), facts.aim.kubectl("logs", first.name)]


def _fate(facts: Facts) -> str:
    if any(pod.serving for pod in facts.pods):
        return "New connections go to those that are terminating but still serve, until these are gone."
    return "New connections have nowhere to go."


def _nothing_listens(facts: Facts, deaf: Sequence[Pod], ready: int) -> Claim:
    heard = sorted({number for pod in deaf if not isinstance(pod.sockets, Gap) for number in pod.sockets.listens_on})
    instead = f"they listen on {names([str(number) for number in heard])}" if heard else "they listen on no port"
    wanted = sorted({pod.target_port for pod in deaf if pod.target_port is not None})
    one = len(wanted) == 1
    where = f"port {wanted[0]}" if one else f"ports {names([str(number) for number in wanted])}, each pod's own"
    return Claim(
        message=(
            f"The Service leads to {where}, but nothing listens there in {len(deaf)} of {pods(ready)}; {instead}. "
            "Connections to them are refused."
        ),
        evidence=[f"{pod.name}: no listening socket on port {pod.target_port}" for pod in deaf]
        + [f"container ports declared: {names(facts.named_ports, 8) or 'none'}"],
        confidence="high",
        explains=1.0,
        remedies=("port",),
        next=[_edit(facts)],
    )


def _edit(facts: Facts) -> str:
    return facts.aim.kubectl("edit", "service", facts.target.service)


def _state(pod: Pod) -> str:
    return pod.waiting or ("terminating" if pod.terminating else "not ready")


RULE = Rule(code="GLB205", title="The Service leads to no ready pod", severity="error", check=check)
