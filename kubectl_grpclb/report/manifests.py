"""A plan as what kubectl takes: the stage's manifests, and the cut-over as a command in a comment."""

import json

import msgspec

from kubectl_grpclb.model.command import NOT_GIVEN, ClusterFlags
from kubectl_grpclb.model.plan import Patch, Plan
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.yaml_text import yaml_text
from kubectl_grpclb.report.json import encoded

__all__ = ["as_json", "as_yaml", "patch_command", "plan_data"]


def as_yaml(plan: Plan, flags: ClusterFlags = NOT_GIVEN) -> str:
    """Give the manifests as YAML documents that `kubectl apply -f -` takes, with the cut-over after them.

    `flags` said which cluster; the commands repeat them.
    """
    documents = [f"---\n# {printable(creation.why)}\n" + yaml_text(creation.manifest) for creation in plan.create]
    return "".join(documents) + _after(plan, flags)


def as_json(plan: Plan) -> str:
    """Give the manifests as one List in JSON."""
    items = [creation.manifest for creation in plan.create]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1, ensure_ascii=True) + "\n"


def plan_data(plan: Plan, form: str) -> str:
    """Give the plan itself as JSON or YAML."""
    if form == "yaml":
        return yaml_text(msgspec.to_builtins(plan))
    return encoded(msgspec.to_builtins(plan))


def patch_command(patch: Patch, flags: ClusterFlags = NOT_GIVEN) -> str:
    """Give the change as a kubectl command; it is refused where a value is no longer what it was.

    It may be run days later, so a change of something else, as of a label, is no reason to refuse it.
    """
    body = json.dumps(patch.of_any_version().operations(), separators=(",", ":"), ensure_ascii=True)
    options = ("--type=json", "-p", body)
    return flags.kubectl("patch", patch.kind.lower(), patch.name, namespace=patch.namespace, options=options)


def _after(plan: Plan, flags: ClusterFlags) -> str:
    if plan.change is None:
        return ""
    return (
        "# The cut-over, for when the Envoys are ready and know the servers; applied together with the above it\n"
        "# would send clients to an Envoy that is not there yet:\n"
        f"#   {printable(patch_command(plan.change, flags))}\n"
        "# and the way back:\n"
        f"#   {printable(patch_command(plan.change.inverted(''), flags))}\n"
    )
