"""Whether a Service that is fixed already needs anything more."""

import msgspec

from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.flows.prepare import Prepared
from kubectl_grpclb.flows.staging import made_by
from kubectl_grpclb.flows.wishes import Wishes
from kubectl_grpclb.model.plan import Manifest, Plan
from kubectl_grpclb.model.resources import resource_of
from kubectl_grpclb.model.write import Apply, Denied, Done

__all__ = ["nothing_to_do"]


async def nothing_to_do(cluster: Workshop, prepared: Prepared, wishes: Wishes) -> Plan | None:
    """Give the plan that says so where the Service is fixed and its Envoys are up to date, else None."""
    plan = prepared.plan
    unfinished = prepared.receipt is not None and prepared.receipt.step != "done"
    pending = plan.restart and wishes.recycle == "clients"
    if prepared.state != "in use" or unfinished or pending or await _outdated(cluster, prepared):
        return None
    return msgspec.structs.replace(
        plan,
        create=(),
        restart=(),
        checks=(),
        title=f"Nothing to do: {plan.target.service} is already fixed, and its Envoys are up to date",
    )


async def _outdated(cluster: Workshop, prepared: Prepared) -> bool:
    """Ask the API server whether applying the bundle again would change anything, or leave too much."""
    plan = prepared.plan
    for made in set(prepared.receipt.made if prepared.receipt else ()) - made_by(plan):
        if isinstance(await cluster.fetch(made.resource, plan.target.namespace, made.name), Done):
            return True
    for creation in plan.create:
        resource = resource_of(creation.manifest).resource
        name, namespace = creation.manifest["metadata"]["name"], plan.target.namespace
        now = await cluster.fetch(resource, namespace, name)
        then = await cluster.write(Apply(creation.manifest, namespace, dry_run=True))
        if isinstance(now, Done) and now.is_ending:
            return True
        if isinstance(now, Denied) or isinstance(then, Denied) or _essence(now.object) != _essence(then.object):
            return True
    return False


def _essence(manifest: Manifest) -> Manifest:
    kept = {key: manifest["metadata"].get(key) for key in ("labels", "annotations")}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": kept}
