"""Reading a hundred pods beside the bare floor of the same execs and beside kubectl in a shell loop.

`python bench/hundred_pods.py [--keep] [--rounds N]`, with KUBECONFIG, kubectl and kubectl-grpclb at hand.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

from measure import in_turn, median, table

NAMESPACE = "grpclb-bench"
PODS, CALLERS = 100, 20
LOOP = (
    "kubectl get pods -n {namespace} -l app=greeter -o name | "
    "xargs -P 8 -I{{}} kubectl exec -n {namespace} {{}} -- netstat -tn"
)
HERE = pathlib.Path(__file__).parent


def main() -> None:
    """Make the pods, measure, print the ratios, take the pods away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the namespace for another run")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if shutil.which("kubectl-grpclb") is None:
        sys.exit("kubectl-grpclb is not on PATH: run this through make bench")
    _make()
    try:
        _measure(chosen.rounds)
    finally:
        if not chosen.keep:
            _kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _measure(rounds: int) -> None:
    ours, floor, loop = "kubectl-grpclb diagnose --window 0", "bare execs, 16 in flight", "kubectl exec, xargs -P 8"
    diagnose = ["kubectl-grpclb", "diagnose", "greeter", "-n", NAMESPACE, "-o", "json"]
    runs = in_turn(
        {
            ours: [*diagnose, "--window", "0"],
            floor: [sys.executable, str(HERE / "exec_floor.py"), NAMESPACE, "app=greeter", "netstat", "-tn"],
            loop: ["sh", "-c", LOOP.format(namespace=NAMESPACE)],
        },
        rounds=rounds,
    )
    print(table(runs))
    print(f"against the bare floor: {median(runs[ours]) / median(runs[floor]):.2f} times its time (bar: 1.2)")
    print(f"against the shell loop: {median(runs[loop]) / median(runs[ours]):.2f} times faster (bar: 2.5)")
    print(f"peak memory: {max(run.peak for run in runs[ours]) / 1e6:.0f} MB (bar: 150)")
    two = in_turn({"the same with two looks, --window 5s": [*diagnose, "--window", "5s"]}, rounds=rounds, warm_up=0)
    print(table(two))


def _make() -> None:
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "greeter", "namespace": NAMESPACE},
            "spec": {"selector": {"app": "greeter"}, "ports": [{"name": "grpc", "port": 80, "targetPort": 50051}]},
        },
        _deployment("greeter", PODS, ["serve", "-metrics-port=0"]),
    ]
    _kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    _kubectl("rollout", "status", "deployment/greeter", "-n", NAMESPACE, "--timeout=600s")
    _kubectl(
        "apply",
        "-f",
        "-",
        text=json.dumps(_deployment("caller", CALLERS, ["call", "-target=dns:///greeter:80", "-rate=1"])),
    )
    _kubectl("rollout", "status", "deployment/caller", "-n", NAMESPACE, "--timeout=300s")


def _deployment(name: str, replicas: int, arguments: list[str]) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": name, "image": "grpclb.test/greeter:netstat", "args": arguments}],
                },
            },
        },
    }


def _kubectl(*words: str, text: str | None = None) -> None:
    subprocess.run(["kubectl", *words], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
