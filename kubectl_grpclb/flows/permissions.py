"""What the user must be allowed to do for a fix or a rollback, asked of the cluster before anything is changed."""

import asyncio
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import get_args

import msgspec
from msgspec import Struct

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.wishes import Recycle
from kubectl_grpclb.model.errors import RefusedError
from kubectl_grpclb.model.need import Feature, Need, Verb
from kubectl_grpclb.model.needs import NEEDS
from kubectl_grpclb.model.plan import Check, Plan, Restart
from kubectl_grpclb.model.rbac import api_name, rule_text
from kubectl_grpclb.model.receipt import Made, Receipt
from kubectl_grpclb.model.roles import Wants, names_of, needs_of, places_of
from kubectl_grpclb.probes.ask import Ask, Via
from kubectl_grpclb.probes.wants import wants_of
from kubectl_grpclb.remedies.envoy.options import EnvoyOptions

__all__ = ["permitted_plan", "see_that_it_may_be_rolled_back"]

_BESIDES: Mapping[str, Feature] = {"horizontalpodautoscalers": "autoscale", "networkpolicies": "network-policy"}
"""What a fix makes only where it was asked for."""


_FLAGS: Mapping[Feature, tuple[str, ...]] = {
    "headless": ("--strategy", "headless"),
    "autoscale": ("--autoscale", "2"),
    "network-policy": ("--network-policy",),
}
"""The flags of `rbac` that add the permissions for a feature; how many Envoys there may be changes none of them."""

_PERHAPS: Mapping[str, str] = {
    "podmetrics": "metrics.k8s.io/v1beta1",
    "podmonitors": "monitoring.coreos.com/v1",
    "servicemonitors": "monitoring.coreos.com/v1",
}
"""What a cluster may not have, and then nobody misses it."""


class _Asked(Struct, frozen=True):
    """One permission: no namespace is every one, no name any."""

    verb: str
    resource: str
    namespace: str
    name: str = ""


class _Lacking(Struct, frozen=True):
    """What is not permitted, as rules; and of what can be done without, what is lost."""

    rules: tuple[str, ...]
    losses: tuple[str, ...]


async def permitted_plan(
    cluster: Workshop, ask: Ask, plan: Plan, options: EnvoyOptions, receipt: Receipt | None, recycle: Recycle
) -> Plan:
    """Add to a plan a refusal for each permission that carrying it out lacks, and a warning for what it can do without.

    With `recycle` the clients are restarted besides.
    """
    plan = msgspec.structs.replace(plan, recycle=recycle == "clients")
    if plan.changes_nothing:
        return plan
    sources = wants_of(ask)
    features = {*_strategy(plan.strategy), *_features(receipt.made if receipt else ()), *_chosen(options)}
    lacking = await _lacking(
        cluster,
        "fix",
        msgspec.structs.replace(sources, service=plan.target.service, features=sources.features | features),
        plan.restart if plan.recycle else (),
    )
    role = _role_command("fix", ask.namespace, features, recycle, (*_via(ask.via), *ask.source_flags.words()))
    refused = tuple(
        Check(
            level="refuse",
            name="permissions",
            message=f"You lack a permission that the fix needs: {rule}",
            do=f"Ask for a Role with this rule; `{role}` prints the whole Role. Or give the manifests that --dry-run "
            "prints to somebody who has it.",
        )
        for rule in lacking.rules
    )
    warning = _warning(role, lacking.losses)
    return msgspec.structs.replace(plan, checks=(*refused, *plan.checks, *warning))


async def see_that_it_may_be_rolled_back(cluster: Workshop, receipt: Receipt, recycle: Recycle) -> tuple[str, ...]:
    """Give what a rollback has to do without, a sentence each. Raises RefusedError where it lacks a permission."""
    features = {*_strategy(receipt.strategy), *_features(receipt.made)}
    lacking = await _lacking(
        cluster,
        "rollback",
        _wants(receipt.namespace, receipt.service, features),
        receipt.restart if recycle == "clients" else (),
    )
    if lacking.rules:
        raise RefusedError(
            f"this rollback was not started, and nothing was changed: you lack permissions that it needs. A Role with "
            f"these rules would allow it (`{_role_command('rollback', receipt.namespace, features, recycle)}` prints "
            "the whole Role):\n" + "\n".join(f"  {rule}" for rule in lacking.rules)
        )
    return lacking.losses


def _wants(namespace: str, service: str, features: set[Feature]) -> Wants:
    return Wants(namespace=namespace, service=service, features=frozenset(features))


def _strategy(strategy: str) -> Iterator[Feature]:
    yield from (feature for feature in get_args(Feature) if feature == strategy)


def _features(made: Iterable[Made]) -> Iterator[Feature]:
    yield from (_BESIDES[each.resource] for each in made if each.resource in _BESIDES)


def _chosen(options: EnvoyOptions) -> Iterator[Feature]:
    if options.autoscaling:
        yield "autoscale"
    if options.network_policy:
        yield "network-policy"


def _role_command(
    verb: Verb, namespace: str, features: Collection[Feature], recycle: Recycle, sources: Sequence[str] = ()
) -> str:
    """Write the command that prints the role with all that is asked for here."""
    flags = [word for feature, words in _FLAGS.items() if feature in features for word in words]
    restarting = ("--recycle", "clients") if recycle == "clients" else ()
    return shlex.join(("kubectl", "grpclb", "rbac", verb, "-n", namespace, *flags, *restarting, *sources))


def _via(chosen: Sequence[Via]) -> Sequence[str]:
    return () if tuple(chosen) == ("auto",) else ("--via", ",".join(chosen))


def _warning(role: str, losses: tuple[str, ...]) -> tuple[Check, ...]:
    if not losses:
        return ()
    return (
        Check(
            level="warn",
            name="permissions",
            message=f"You lack permissions that the fix can do without. {' '.join(losses)}",
            do=f"The fix continues without them; `{role}` prints the rules for them.",
        ),
    )


async def _lacking(cluster: Workshop, verb: Verb, wants: Wants, restarts: Iterable[Restart]) -> _Lacking:
    needs = [need for need in needs_of(verb, wants) if need.place != "clients"]
    asked = {need: tuple(_asked(need, wants)) for need in needs}
    restarting = tuple(_restarting(restarts))
    every = list(dict.fromkeys((*(each for of in asked.values() for each in of), *restarting)))
    answers = await asyncio.gather(
        *(cluster.may(each.verb, each.resource, each.namespace, each.name) for each in every)
    )
    denied = await _had(cluster, [each for each, allowed in zip(every, answers, strict=True) if allowed is False])
    required = [each for need, of in asked.items() if not need.without for each in of]
    return _Lacking(
        rules=tuple(_rules([each for each in (*required, *restarting) if each in denied], wants.namespace)),
        losses=tuple(_losses(asked, denied)),
    )


async def _had(cluster: Workshop, denied: Iterable[_Asked]) -> set[_Asked]:
    """Give those of which the cluster has the resource at all."""
    perhaps = {each.resource for each in denied} & _PERHAPS.keys()
    served = await asyncio.gather(*(cluster.serves(_PERHAPS[each], api_name(each)[1]) for each in perhaps))
    absent = {each for each, is_there in zip(perhaps, served, strict=True) if not is_there}
    return {each for each in denied if each.resource not in absent}


def _asked(need: Need, wants: Wants) -> Iterator[_Asked]:
    for namespace in places_of(need, wants):
        for resource in need.resources:
            for name in names_of(need, wants) or ("",):
                yield from (_Asked(verb, resource, namespace or "", name) for verb in need.verbs)


def _restarting(restarts: Iterable[Restart]) -> Iterator[_Asked]:
    verbs = next(need.verbs for need in NEEDS if need.when == {"recycle"})
    for each in restarts:
        yield from (_Asked(verb, each.resource, each.namespace, each.name) for verb in verbs)


def _rules(denied: Iterable[_Asked], home: str) -> Iterator[str]:
    """Give one rule for all verbs that are lacking on a resource in a namespace, each verb once."""
    verbs: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for each in denied:
        verbs[each.resource, each.namespace][each.verb] = None
    for (resource, namespace), lacking in verbs.items():
        yield rule_text(resource, lacking) + ("" if namespace == home else f" in namespace {namespace}")


def _losses(asked: Mapping[Need, tuple[_Asked, ...]], denied: set[_Asked]) -> Iterator[str]:
    for need, of in asked.items():
        refused = [each for each in of if each in denied]
        if need.without and refused:
            what = ", ".join(dict.fromkeys(_spoken(each) for each in refused))
            yield f"You are not permitted to {what}: {need.without}."


def _spoken(asked: _Asked) -> str:
    group, name = api_name(asked.resource)
    resource = f"{name}.{group}" if group else name
    where = f"in namespace {asked.namespace}" if asked.namespace else "in every namespace"
    return f"{asked.verb} {resource} {where}"
