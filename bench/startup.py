"""How long `--help` and `explain` take beside an interpreter that does nothing: `python bench/startup.py`."""

import shutil
import subprocess
import sys

from measure import in_turn, median, table

PROBE = """
import runpy, sys
sys.argv = ["kubectl-grpclb", *{words}]
try:
    runpy.run_module("kubectl_grpclb", run_name="__main__")
except SystemExit:
    pass
print(sorted({{"kubernetes", "grpc"}} & set(sys.modules)), file=sys.stderr)
"""


def main() -> None:
    """Print the times, their ratio, and which heavy libraries were imported."""
    plugin = shutil.which("kubectl-grpclb")
    if plugin is None:
        sys.exit("kubectl-grpclb is not on PATH: run this through make bench")
    verbs = {"--help": ["--help"], "explain GLB101": ["explain", "GLB101"]}
    nothing = "python -c pass"
    commands = {nothing: [sys.executable, "-c", "pass"]}
    runs = in_turn(commands | {name: [plugin, *words] for name, words in verbs.items()}, rounds=15, warm_up=3)
    print(table(runs))
    for name, words in verbs.items():
        imported = subprocess.run(
            [sys.executable, "-c", PROBE.format(words=words)], capture_output=True, text=True, check=True
        ).stderr.strip()
        scaled = median(runs[name]) / median(runs[nothing]) * 0.02
        print(f"{name}: {scaled:.3f} s where an idle interpreter takes 0.02 s (bar: 0.25); heavy imports: {imported}")


if __name__ == "__main__":
    main()
