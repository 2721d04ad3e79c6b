"""Roles and their bindings as what kubectl takes, with what each rule is for in a comment."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from kubectl_grpclb.model.need import Verb
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.roles import Role, Rule
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.yaml_text import yaml_text

__all__ = ["Subject", "VerbRoles", "roles_as_json", "roles_as_yaml"]

_GROUP = "rbac.authorization.k8s.io"
_API = f"{_GROUP}/v1"
_WIDTH = 98


class Subject(Struct, frozen=True):
    """Who gets a role; only a service account has a namespace."""

    kind: Literal["ServiceAccount", "User", "Group"]
    name: str
    namespace: str | None = None


class VerbRoles(Struct, frozen=True):
    """The roles of one verb, for the Services of a namespace."""

    verb: Verb
    namespace: str
    roles: tuple[Role, ...]


def roles_as_yaml(each: Sequence[VerbRoles], subjects: Sequence[Subject]) -> str:
    """Give YAML documents that `kubectl apply -f -` takes."""
    documents = (document for of in each for document in _documents(of, subjects))
    return "".join(f"---\n{document}" for document in documents)


def roles_as_json(each: Sequence[VerbRoles], subjects: Sequence[Subject]) -> str:
    """Give the same objects as one List in JSON, which has no comments."""
    items = [manifest for of in each for role in of.roles for manifest in _manifests(role, of, subjects)]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1, ensure_ascii=True) + "\n"


def _documents(of: VerbRoles, subjects: Sequence[Subject]) -> Iterator[str]:
    for role in of.roles:
        manifest, *bindings = _manifests(role, of, subjects)
        rules = manifest.pop("rules")
        explained = (_comment(_reason(rule)) + _text([data]) for rule, data in zip(role.rules, rules, strict=True))
        yield _comment(_heading(of, role, bound=bool(subjects))) + _text(manifest) + "rules:\n" + "".join(explained)
        yield from map(_text, bindings)


def _heading(of: VerbRoles, role: Role, *, bound: bool) -> str:
    if role.kind == "ClusterRole":
        said = f"Optional: what kubectl grpclb {of.verb} reads in the whole cluster."
    elif role.namespace == of.namespace:
        said = f"What kubectl grpclb {of.verb} has to be allowed to do in namespace {role.namespace}."
    else:
        said = (
            f"What kubectl grpclb {of.verb} has to be allowed to do in namespace {role.namespace} for Services of "
            f"namespace {of.namespace}."
        )
    return said if bound else f"{said} --user, --group or --service-account binds it."


def _reason(rule: Rule) -> str:
    said = " ".join(rule.why)
    return f"Optional. {said} Without it, {'; '.join(rule.without)}." if rule.without else said


def _manifests(role: Role, of: VerbRoles, subjects: Sequence[Subject]) -> Iterator[Manifest]:
    yield {
        "apiVersion": _API,
        "kind": role.kind,
        "metadata": _metadata(role.name, role.namespace),
        "rules": [_rule(rule) for rule in role.rules],
    }
    if subjects:
        # those of one ClusterRole for several namespaces stand side by side
        name = role.name if role.namespace else f"{of.roles[0].name}.{of.namespace}"
        yield {
            "apiVersion": _API,
            "kind": f"{role.kind}Binding",
            "metadata": _metadata(name, role.namespace),
            "roleRef": {"apiGroup": _GROUP, "kind": role.kind, "name": role.name},
            "subjects": [_subject(subject) for subject in subjects],
        }


def _metadata(name: str, namespace: str | None) -> dict[str, str]:
    return {"name": name} | ({"namespace": namespace} if namespace else {})


def _rule(rule: Rule) -> dict[str, Any]:
    names = {"resourceNames": list(rule.names)} if rule.names else {}
    return {"apiGroups": [rule.group], "resources": list(rule.resources), **names, "verbs": list(rule.verbs)}


def _subject(subject: Subject) -> dict[str, str]:
    group = {} if subject.kind == "ServiceAccount" else {"apiGroup": _GROUP}
    return {"kind": subject.kind, **group, **_metadata(subject.name, subject.namespace)}


def _text(data: object) -> str:
    return yaml_text(data, compact=True)


def _comment(said: str) -> str:
    lines = textwrap.wrap(printable(said), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)
