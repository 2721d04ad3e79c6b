"""A plan as what kubectl takes: the stage's manifests, and the cut-over as a command in a comment."""

import json
import shlex

import msgspec

from kubectl_grpclb.model.plan import Patch, Plan
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.report.json import encoded

__all__ = ["as_json", "as_yaml", "patch_command", "plan_data"]


def as_yaml(plan: Plan) -> str:
    """Give the manifests as YAML documents that `kubectl apply -f -` takes, with the cut-over after them."""
    documents = [f"---\n# {printable(creation.why)}\n" + yaml_text(creation.manifest) for creation in plan.create]
    return "".join(documents) + _after(plan)


def as_json(plan: Plan) -> str:
    """Give the manifests as one List in JSON."""
    items = [creation.manifest for creation in plan.create]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1, ensure_ascii=True) + "\n"


def plan_data(plan: Plan, form: str) -> str:
    """Give the plan itself as JSON or YAML."""
    if form == "yaml":
        return yaml_text(msgspec.to_builtins(plan))
    return encoded(msgspec.to_builtins(plan))


def patch_command(patch: Patch) -> str:
    """Give the change as a kubectl command; it is refused where a value is no longer what it was."""
    body = json.dumps(patch.operations(), separators=(",", ":"), ensure_ascii=True)
    return shlex.join(
        ["kubectl", "patch", patch.kind.lower(), patch.name, "-n", patch.namespace, "--type=json", "-p", body]
    )


def _after(plan: Plan) -> str:
    if plan.change is None:
        return ""
    return (
        "# The cut-over, for when the Envoys are ready and know the servers; applied together with the above it\n"
        "# would send clients to an Envoy that is not there yet:\n"
        f"#   {printable(patch_command(plan.change))}\n"
        "# and the way back:\n"
        f"#   {printable(patch_command(plan.change.inverted('')))}\n"
    )
