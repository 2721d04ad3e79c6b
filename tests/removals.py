"""A verb's roles with one permission taken away, and whether somebody was told which."""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.model.need import Verb
from kubectl_grpclb.model.roles import Role, Rule, Wants, roles_for


class Removal(Struct, frozen=True):
    """One permission that is taken away, and the roles without it."""

    verb: str
    resource: str
    group: str
    everywhere: bool
    roles: tuple[Role, ...]
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        group = f".{self.group}" if self.group else ""
        return " ".join((self.verb, self.resource + group, *self.names, *(["of all"] if self.everywhere else [])))

    def is_told(self, text: str) -> bool:
        """Whether a text names the permission: as a rule of a role, as a sentence, or as the API server says it."""
        resource = re.escape(f"{self.resource}.{self.group}" if self.group else self.resource)
        rule = re.escape(f'apiGroups: ["{self.group}"], resources: ["{self.resource}"], verbs: [')
        refusal = re.escape(f'cannot {self.verb} resource "{self.resource}" in API group "{self.group}"')
        spelled = (rf'{rule}[^]]*"{self.verb}"', rf"\b{self.verb} {resource}(?![\w./])", refusal)
        return any(re.search(each, text) for each in spelled)


def removals(verb: Verb, wants: Wants) -> Iterator[Removal]:
    """Take away each permission of each rule of the verb's roles by itself.

    What can be done without may grant the same again for more objects, or for every namespace. That is taken away too:
    the roles are whole without it.
    """
    roles = roles_for(verb, wants)
    for role in roles:
        for rule in role.rules:
            for resource in rule.resources:
                for each in rule.verbs:
                    lacking = _Lacking(rule, resource, each)
                    left = tuple(replace(of, rules=tuple(lacking.left_of(of.rules))) for of in roles)
                    yield Removal(each, resource, rule.group, role.kind == "ClusterRole", left, rule.names)


class _Lacking(Struct, frozen=True):
    """A verb on a resource that a rule grants no more."""

    rule: Rule
    resource: str
    verb: str

    def left_of(self, rules: Sequence[Rule]) -> Iterator[Rule]:
        for rule in rules:
            if not self._lacks(rule):
                yield rule
                continue
            if others := tuple(each for each in rule.resources if each != self.resource):
                yield replace(rule, resources=others)
            if verbs := tuple(each for each in rule.verbs if each != self.verb):
                yield replace(rule, resources=(self.resource,), verbs=verbs)

    def _lacks(self, rule: Rule) -> bool:
        if rule is self.rule:
            return True
        same = rule.group == self.rule.group and self.resource in rule.resources and self.verb in rule.verbs
        return same and bool(rule.without) and not self.rule.without
