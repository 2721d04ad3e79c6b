"""The least roles for a verb, as data: what of model/needs.py applies, each permission once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.model.need import Feature, Need, Object, Verb
from kubectl_grpclb.model.needs import NEEDS
from kubectl_grpclb.model.prometheus import ProxiedService
from kubectl_grpclb.model.rbac import api_name

__all__ = ["Role", "Rule", "Wants", "names_of", "needs_of", "places_of", "roles_for"]


class Wants(Struct, frozen=True, kw_only=True):
    """For which Service, with which flags."""

    namespace: str
    service: str | None = None
    """None: for any Service of the namespace."""
    features: frozenset[Feature]
    """What the flags add."""
    chosen: frozenset[Feature] = frozenset()
    """The sources of them that the user named, so that nothing else takes their place."""
    clients: tuple[str, ...] = ()
    """The namespaces of the clients; empty: the Service's."""
    node_namespace: str | None = None
    """Where looks from nodes run their pods; None: in the Service's."""
    prometheus: ProxiedService | None = None


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of a role, and what it is for."""

    group: str
    resources: tuple[str, ...]
    """As in a role: `pods/exec`."""
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    """The only objects that it holds for; empty: any."""
    why: tuple[str, ...]
    """A sentence each."""
    without: tuple[str, ...] = ()
    """What is lost without it; empty: the verb needs it."""


class Role(Struct, frozen=True, kw_only=True):
    """The rules for one namespace, or for all of them."""

    kind: Literal["Role", "ClusterRole"]
    name: str
    namespace: str | None
    rules: tuple[Rule, ...]


def needs_of(verb: Verb, wants: Wants) -> list[Need]:
    """Give what a role has to grant: what the verb needs before what it can do without."""
    needs = [_chosen(need, wants) for need in NEEDS if _applies(need, verb, wants.features) and not need.comfort]
    return sorted(needs, key=_dispensable)


def roles_for(verb: Verb, wants: Wants) -> tuple[Role, ...]:
    """Give the Role in the Service's namespace, those in other ones, and the ClusterRole, as far as they are needed."""
    name = f"grpclb-{verb}" + (f"-{wants.service}" if wants.service else "")
    granted: dict[str | None, _Granted] = {wants.namespace: _Granted()}
    needs = needs_of(verb, wants)
    # what is for any object first: of the same for some objects only the rest is left then
    for need in sorted(needs, key=lambda need: (_dispensable(need), bool(names_of(need, wants)))):
        for namespace in places_of(need, wants):
            granted.setdefault(namespace, _Granted()).add(need, names_of(need, wants), needs.index(need))
    everywhere = granted.pop(None, None)
    roles = [
        Role(kind="Role", name=name, namespace=namespace, rules=each.in_order())
        for namespace, each in granted.items()
        if each.rules
    ]
    if everywhere is not None:
        roles.append(Role(kind="ClusterRole", name=f"grpclb-{verb}", namespace=None, rules=everywhere.in_order()))
    return tuple(roles)


def places_of(need: Need, wants: Wants) -> tuple[str | None, ...]:
    """Give the namespaces where the need is; None is every one."""
    match need.place:
        case "service":
            return (wants.namespace,)
        case "clients":
            return wants.clients or (wants.namespace,)
        case "node":
            return (wants.node_namespace or wants.namespace,)
        case "prometheus":
            return (wants.prometheus.namespace,) if wants.prometheus else ()
        case "cluster":
            return (None,)


def names_of(need: Need, wants: Wants) -> tuple[str, ...]:
    """Give the names of the only objects that the need is for; empty: any."""
    if need.names == ("prometheus",):
        return (wants.prometheus.port,) if wants.prometheus else ()
    if wants.service is None:
        return ()
    bundle = bundle_of(wants.service)
    named: dict[Object, str] = {
        "service": bundle.service,
        "headless": bundle.headless,
        "envoy": bundle.envoy,
        "receipt": bundle.receipt,
    }
    return tuple(named[each] for each in need.names)


def _dispensable(need: Need) -> bool:
    return bool(need.without)


def _applies(need: Need, verb: Verb, features: frozenset[Feature]) -> bool:
    return verb in need.of and (not need.when or bool(need.when & features))


def _chosen(need: Need, wants: Wants) -> Need:
    """Let a source that the user named be one that cannot be done without."""
    return replace(need, without="") if need.when & wants.chosen else need


class _Granted:
    """The rules of one role as they come together."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._places: list[int] = []

    def in_order(self) -> tuple[Rule, ...]:
        """Give them by their places."""
        by_place = sorted(zip(self._places, self.rules, strict=True), key=lambda each: each[0])
        return tuple(rule for _, rule in by_place)

    def add(self, need: Need, names: Sequence[str], place: int) -> None:
        """Add what of a need is not granted yet; what is gets one reason more."""
        lacking: defaultdict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        for resource in need.resources:
            for name in names or ("",):
                lacking[self._lacking(need, resource, name)].append((resource, name))
        if covered := lacking.pop((), []):
            self._explain(need, {api_name(resource)[1] for resource, _ in covered})
        added = [rule for verbs, what in lacking.items() for rule in _rules(need, verbs, what)]
        self.rules += added
        self._places += [place] * len(added)

    def _lacking(self, need: Need, resource: str, name: str) -> tuple[str, ...]:
        group, plural = api_name(resource)
        return tuple(
            verb
            for verb in need.verbs
            if not any(
                rule.group == group
                and plural in rule.resources
                and verb in rule.verbs
                and (not rule.names or name in rule.names)
                for rule in self.rules
            )
        )

    def _explain(self, need: Need, resources: set[str]) -> None:
        group = api_name(need.resources[0])[0]
        for place, rule in enumerate(self.rules):
            if rule.group == group and resources & set(rule.resources) and set(need.verbs) & set(rule.verbs):
                lost = () if not rule.without or not need.without else (need.without,)
                self.rules[place] = replace(
                    rule,
                    why=tuple(dict.fromkeys((*rule.why, need.why))),
                    without=tuple(dict.fromkeys((*rule.without, *lost))),
                )
                return


def _rules(need: Need, verbs: tuple[str, ...], what: Sequence[tuple[str, str]]) -> Iterator[Rule]:
    """Give one rule for all resources that lack the same of the same objects."""
    names: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource in dict.fromkeys(resource for resource, _ in what):
        names[tuple(name for other, name in what if other == resource and name)].append(resource)
    for objects, resources in names.items():
        yield Rule(
            group=api_name(resources[0])[0],
            resources=tuple(api_name(resource)[1] for resource in resources),
            verbs=verbs,
            names=objects,
            why=(need.why,),
            without=(need.without,) if need.without else (),
        )
