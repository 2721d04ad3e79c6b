"""Tells which field of which type of the Kubernetes API came with which version, from the Python clients' models.

    python tests/versions/table.py 27=DIR 28=DIR … > tests/kubernetes/fields.json

Each DIR is where the client of that version (PyPI: kubernetes 27.2.0 is generated from Kubernetes 1.27's own OpenAPI
definition, 28.1.0 from 1.28's, and so on) was unpacked. Nothing of it is imported, only read.
"""

import ast
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

KINDS = (
    "V1ConfigMap",
    "V1DaemonSet",
    "V1Deployment",
    "V1EndpointSlice",
    "V1Lease",
    "V1Namespace",
    "V1NetworkPolicy",
    "V1Node",
    "V1Pod",
    "V1PodDisruptionBudget",
    "V1ReplicaSet",
    "V1ResourceQuota",
    "V1Service",
    "V1StatefulSet",
    "V2HorizontalPodAutoscaler",
)
"""What is read or written, by the names of the client's classes."""

Fields = dict[str, str]
"""Names as on the wire, and the type of each or of its items, empty for text, numbers and the like."""

_NAMED = re.compile(r"V\d\w*")


def fields_of(model: Path) -> Fields:
    """Read the two tables of a model's class, which the newer clients annotate."""
    tables = {
        target.id: ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(model.read_text("utf-8")))
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id in {"openapi_types", "attribute_map"}
    }
    types = {attribute: _NAMED.search(type_) for attribute, type_ in tables["openapi_types"].items()}
    return {
        name: type_[0] if (type_ := types[attribute]) else "" for attribute, name in tables["attribute_map"].items()
    }


def model_of(directory: Path, kind: str) -> Path:
    """Find a class's file: V1PodIP is in v1_pod_ip.py."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    return directory / "kubernetes" / "client" / "models" / f"{snake}.py"


def reached(directory: Path) -> dict[str, Fields]:
    """Read every type that the kinds are made of."""
    found: dict[str, Fields] = {}
    left = list(KINDS)
    while left:
        kind = left.pop()
        model = model_of(directory, kind)
        if kind not in found and model.exists():
            found[kind] = fields_of(model)
            left += filter(None, found[kind].values())
    return found


def table(versions: Iterable[tuple[int, Path]]) -> dict[str, dict[str, list[object]]]:
    """Give for each type and field its type and the version that it was first seen in, the lowest for all older."""
    since: dict[str, dict[str, list[object]]] = {}
    for minor, directory in versions:
        for kind, fields in reached(directory).items():
            for name, type_ in fields.items():
                since.setdefault(kind, {}).setdefault(name, [type_, minor])
    return since


if __name__ == "__main__":
    given = (word.partition("=") for word in sys.argv[1:])
    made = table(sorted((int(minor), Path(directory)) for minor, _, directory in given))
    lines = [
        f" {json.dumps(kind)}: {json.dumps(dict(sorted(fields.items())))}" for kind, fields in sorted(made.items())
    ]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")
