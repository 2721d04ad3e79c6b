"""Reading a hundred pods beside the bare floor of the same execs and beside kubectl in a shell loop.

`python bench/hundred_pods.py [--keep] [--rounds N]`, with KUBECONFIG, kubectl and kubectl-grpclb at hand.
"""

import argparse
import pathlib
import shutil
import sys

from crowd import NAMESPACE, crowd
from measure import in_turn, median, table

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
    with crowd(keep=chosen.keep):
        _measure(chosen.rounds)


def _measure(rounds: int) -> None:
    plain, ours = "kubectl-grpclb diagnose --window 0", "the same --via exec"
    floor, loop = "bare execs, 16 in flight", "kubectl exec, xargs -P 8"
    diagnose = ["kubectl-grpclb", "diagnose", "greeter", "-n", NAMESPACE, "-o", "json"]
    runs = in_turn(
        {
            plain: [*diagnose, "--window", "0"],
            ours: [*diagnose, "--window", "0", "--via", "exec"],
            floor: [sys.executable, str(HERE / "exec_floor.py"), NAMESPACE, "app=greeter", "netstat", "-tn"],
            loop: ["sh", "-c", LOOP.format(namespace=NAMESPACE)],
        },
        rounds=rounds,
    )
    print(table(runs))
    for name in (plain, ours):
        print(f"{name}: {median(runs[name]) / median(runs[floor]):.2f} times the bare floor's time (bar: 1.2)")
        print(f"{name}: {median(runs[loop]) / median(runs[name]):.2f} times faster than the shell loop (bar: 2.5)")
    print(f"peak memory: {max(run.peak for run in runs[ours]) / 1e6:.0f} MB (bar: 150)")
    two = in_turn({"the same with two looks, --window 5s": [*diagnose, "--window", "5s"]}, rounds=rounds, warm_up=0)
    print(table(two))


if __name__ == "__main__":
    main()
