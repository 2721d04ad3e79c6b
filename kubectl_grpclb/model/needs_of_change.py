"""What a fix and a rollback have to be allowed to do, and a verify because of a fix."""

from kubectl_grpclb.model.need import CONNECTION, Feature, Need, Verb

__all__ = ["CHANGES"]

_FIX, _ROLLBACK = frozenset[Verb]({"fix"}), frozenset[Verb]({"rollback"})
_CHANGING = _FIX | _ROLLBACK

_CURES = frozenset[Feature]({"envoy", "headless", "service"})
_ENVOY = frozenset[Feature]({"envoy"})
_MADE = ("get", "create", "patch", "delete")
"""An object is seen, applied (which is `patch`, and `create` of what is not there) and taken away again."""

CHANGES = (
    Need(
        resources=("configmaps",),
        verbs=("get",),
        why="The receipt of the fix: what was there before.",
        of=frozenset({"verify"}),
        names=("receipt",),
    ),
    Need(
        resources=("configmaps",),
        verbs=_MADE,
        why="The receipt, which is kept beside the Service until a rollback.",
        of=_FIX,
        when=_CURES,
        names=("receipt",),
    ),
    Need(
        resources=("configmaps",),
        verbs=("get",),
        why="The receipt of an earlier fix.",
        of=_FIX,
        names=("receipt",),
    ),
    Need(
        resources=("configmaps",),
        verbs=("get", "patch", "delete"),
        why="The receipt: what was there before, and how far the rollback has come.",
        of=_ROLLBACK,
        names=("receipt",),
    ),
    Need(
        resources=("configmaps",),
        verbs=("create",),
        why="To continue from --receipt FILE if the cluster has lost its own.",
        of=_ROLLBACK,
        names=("receipt",),
        without="--receipt does not work if the cluster has lost its receipt",
        comfort=True,
    ),
    Need(
        resources=("leases",),
        verbs=("create",),
        why="The Lease that keeps a second fix or rollback from changing the Service at the same time.",
        of=_CHANGING,
        when=_CURES,
    ),
    Need(
        resources=("leases",),
        verbs=("get", "update", "delete"),
        why="To renew that Lease, take over one whose holder has died, and delete it at the end.",
        of=_CHANGING,
        when=_CURES,
        names=("receipt",),
    ),
    Need(
        resources=("services",),
        verbs=("patch",),
        why="The cut-over: selector and target port of the Service, or what pins its clients.",
        of=_FIX,
        when=frozenset({"envoy", "service"}),
        names=("service",),
    ),
    Need(
        resources=("services",),
        verbs=("patch",),
        why="To put the Service back as it was.",
        of=_ROLLBACK,
        when=frozenset({"envoy", "service"}),
        names=("service",),
    ),
    Need(
        resources=("services",),
        verbs=("create", "patch", "delete"),
        why="The headless Service that the fix adds.",
        of=_FIX,
        when=frozenset({"envoy", "headless"}),
        names=("headless",),
    ),
    Need(
        resources=("services",),
        verbs=("delete",),
        why="To remove the headless Service that the fix added.",
        of=_ROLLBACK,
        when=frozenset({"envoy", "headless"}),
        names=("headless",),
    ),
    *(
        need
        for resource, what, when in (
            ("configmaps", "Envoy's configuration", _ENVOY),
            ("deployments", "Envoy itself", _ENVOY),
            ("poddisruptionbudgets", "Envoy's disruption budget", _ENVOY),
            ("horizontalpodautoscalers", "Envoy's autoscaler (--autoscale)", frozenset[Feature]({"autoscale"})),
            ("networkpolicies", "Envoy's NetworkPolicy (--network-policy)", frozenset[Feature]({"network-policy"})),
        )
        for need in (
            Need(resources=(resource,), verbs=_MADE, why=f"{what}.", of=_FIX, when=when, names=("envoy",)),
            Need(
                resources=(resource,),
                verbs=("get", "delete"),
                why=f"To remove {what}.",
                of=_ROLLBACK,
                when=when,
                names=("envoy",),
            ),
        )
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="To talk to servers and Envoys: whether Envoy knows the servers, and whether calls are answered.",
        of=_FIX,
        when=_ENVOY,
    ),
    Need(
        resources=("pods",),
        verbs=("list",),
        why="Envoy's pods, to see whether they still serve clients.",
        of=_ROLLBACK,
        when=_ENVOY,
        without="rollback cannot see which clients Envoy still serves; Envoy then drains on its own",
    ),
    Need(
        resources=("pods/portforward",),
        verbs=CONNECTION,
        why="To tell Envoy to drain, and to see when its clients are gone.",
        of=_ROLLBACK,
        when=_ENVOY,
        without="Envoy is deleted without checking which clients it still serves; it then drains on its own",
    ),
    Need(
        resources=("services",),
        verbs=("list",),
        why="The other Services of the namespace.",
        of=_FIX,
        when=_ENVOY,
        without="fix cannot tell whether one of them would send its traffic to Envoy",
    ),
    Need(
        resources=("networkpolicies",),
        verbs=("list",),
        why="The NetworkPolicies of the namespace.",
        of=_FIX,
        when=_ENVOY,
        without="fix cannot tell whether they let clients reach Envoy, and Envoy the servers",
    ),
    Need(
        resources=("poddisruptionbudgets",),
        verbs=("list",),
        why="The disruption budgets of the namespace.",
        of=_FIX,
        when=_ENVOY,
        without="fix cannot tell whether Envoy's pods would get a second one, which blocks node drains",
    ),
    Need(
        resources=("resourcequotas",),
        verbs=("list",),
        why="The quotas of the namespace.",
        of=_FIX,
        when=_ENVOY,
        without="whether the namespace has room for Envoy shows only when Envoy is created",
    ),
    Need(
        resources=("namespaces",),
        verbs=("get",),
        why="The namespace's labels and annotations.",
        of=_FIX,
        when=_ENVOY,
        without="fix cannot tell what they say about meshes and Pod Security",
    ),
    Need(
        resources=("deployments", "statefulsets", "daemonsets"),
        verbs=("get", "patch"),
        why="--recycle clients: to restart the clients' workloads, one after the other.",
        of=_CHANGING,
        when=frozenset({"recycle"}),
        place="clients",
    ),
)
