"""The examples of each verb's help, in the order in which a user comes to need them; a test runs each.

Imported only where help is shown.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["EXAMPLES", "Example"]


class Example(NamedTuple):
    """What somebody wants, and the command for it, one line each."""

    wish: str
    command: str


_VERBS = {
    "": (
        Example(
            "Does load stick to a few pods of Service greeter, and why?", "kubectl grpclb diagnose greeter -n shop"
        ),
        Example("Fix it: shows the plan, and asks before it changes anything", "kubectl grpclb fix greeter -n shop"),
        Example("Check whether that worked", "kubectl grpclb verify greeter -n shop"),
        Example("Undo it", "kubectl grpclb rollback greeter -n shop"),
        Example("See the problem and its fixes on this machine, without a cluster", "kubectl grpclb demo"),
    ),
    "diagnose": (
        Example(
            "Find out whether load sticks to a few pods of Service greeter",
            "kubectl grpclb diagnose greeter -n shop",
        ),
        Example(
            "Several Services, with all columns",
            "kubectl grpclb diagnose greeter cart -n shop -o wide",
        ),
        Example(
            "In CI: fail only on errors, and save what was read",
            "kubectl grpclb diagnose greeter -n shop --fail-on error --record greeter.json",
        ),
        Example(
            "The verdict for a script",
            "kubectl grpclb diagnose greeter -n shop -o json | jq -r .verdict",
        ),
        Example(
            "Report on a recorded file, without a cluster",
            "kubectl grpclb diagnose --from greeter.json",
        ),
        Example(
            "Look into pods without a shell, through an ephemeral container that stays",
            "kubectl grpclb diagnose greeter -n shop --debug",
        ),
        Example(
            "Also ask a Prometheus in the cluster, about the last hour",
            "kubectl grpclb diagnose greeter -n shop \\\n"
            "    --prometheus svc/monitoring/prometheus:9090 --prometheus-range 1h",
        ),
    ),
    "fix": (
        Example(
            "Show the plan, ask, put Envoy in front of the pods, and diagnose again",
            "kubectl grpclb fix greeter -n shop",
        ),
        Example("See what would change, without changing anything", "kubectl grpclb fix greeter -n shop --diff"),
        Example(
            "Manifests for a GitOps repository",
            "kubectl grpclb fix greeter -n shop --dry-run > greeter-envoy.yaml",
        ),
        Example(
            "In a script; restarts the clients, so that open connections move, too",
            "kubectl grpclb fix greeter -n shop --yes --recycle clients",
        ),
        Example(
            "Three Envoys from your own registry, for unequal calls",
            "kubectl grpclb fix greeter -n shop --replicas 3 --lb-policy least-request \\\n"
            "    --envoy-image registry.example/envoy:distroless-v1.40.0",
        ),
        Example("See what the clients could do instead", "kubectl grpclb fix greeter -n shop --strategy client"),
        Example("Plan from a recorded file, without a cluster", "kubectl grpclb fix --from greeter.json"),
    ),
    "verify": (
        Example("Diagnose again, and compare with the time before the fix", "kubectl grpclb verify greeter -n shop"),
        Example(
            "The outcome for a script: fixed, pending, unchanged, worse or unknown",
            "kubectl grpclb verify greeter -n shop -o json | jq -r .outcome",
        ),
        Example("Look over a whole minute", "kubectl grpclb verify greeter -n shop --window 1m"),
    ),
    "rollback": (
        Example("Show what will be undone, ask, and undo it", "kubectl grpclb rollback greeter -n shop"),
        Example(
            "In a script; restarts the clients, so that Envoy need not wait for them",
            "kubectl grpclb rollback greeter -n shop --yes --recycle clients",
        ),
        Example(
            "With this machine's copy of the receipt, if the cluster has lost its own",
            "kubectl grpclb rollback greeter -n shop --receipt greeter-receipt.json",
        ),
    ),
    "record": (
        Example("Save what diagnose reads", "kubectl grpclb record greeter -n shop -f greeter.json"),
        Example("Save it compressed", "kubectl grpclb record greeter -n shop | gzip > greeter.json.gz"),
        Example("Report on it later, anywhere", "kubectl grpclb diagnose --from greeter.json"),
    ),
    "explain": (
        Example("What a finding means, and what to do", "kubectl grpclb explain GLB101"),
        Example("All findings", "kubectl grpclb explain"),
    ),
    "demo": (Example("Show the problem, and then its fixes", "kubectl grpclb demo"),),
    "rbac": (
        Example("The minimal role for a verb, with the purpose of each rule", "kubectl grpclb rbac diagnose -n shop"),
        Example(
            "Grant it to somebody",
            "kubectl grpclb rbac diagnose -n shop --user jane | kubectl apply -f -",
        ),
        Example(
            "For a CI job that fixes one Service, and undoes it",
            "kubectl grpclb rbac fix rollback -n shop --service greeter \\\n"
            "    --recycle clients --service-account ci:deployer",
        ),
        Example("What other sources need", "kubectl grpclb rbac diagnose -n shop --debug --via exec"),
    ),
    "completion": (
        Example(
            "Have kubectl complete this plugin: shows what it will write, and asks",
            "kubectl grpclb completion --install",
        ),
        Example("Undo that", "kubectl grpclb completion --uninstall"),
        Example("Complete kubectl-grpclb itself in fish", "kubectl grpclb completion fish | source"),
    ),
    "version": (Example("Show the version", "kubectl grpclb version"),),
}

EXAMPLES: Mapping[str, tuple[Example, ...]] = MappingProxyType(_VERBS)
"""By verb; those of the command as a whole under the empty name."""
