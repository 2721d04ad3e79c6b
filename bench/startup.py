"""How long commands take to start, beside kubectl and beside programs that do nothing: `python bench/startup.py`.

The frozen program is the one of `make dist`; without it, the command of this environment stands for both.
"""

import pathlib
import shutil
import subprocess
import sys

from first_request import door
from measure import Run, in_turn, median, run, table

ROOT = pathlib.Path(__file__).resolve().parent.parent
FROZEN = ROOT / "build" / "frozen" / "kubectl-grpclb" / "kubectl-grpclb"
FREEZER = ROOT / ".venv-release" / "bin" / "python"
FLOOR = ROOT / "build" / "floor"
ROUNDS, WARM_UP = 15, 3

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
    """Print the times and what they come to beside their floors."""
    plugin, kubectl = shutil.which("kubectl-grpclb"), shutil.which("kubectl")
    if plugin is None or kubectl is None:
        sys.exit("kubectl and kubectl-grpclb have to be on PATH: run this through make bench")
    _beside_python(plugin)
    if FROZEN.exists():
        _beside_kubectl(str(FROZEN), _floor(), kubectl)
    else:
        print(f"\nthere is no {FROZEN.relative_to(ROOT)} (make dist), so nothing is said of the frozen program")


def _beside_python(plugin: str) -> None:
    verbs = {"--help": ["--help"], "explain GLB101": ["explain", "GLB101"]}
    nothing = "python -c pass"
    commands = {nothing: [sys.executable, "-c", "pass"]}
    runs = in_turn(commands | {name: [plugin, *words] for name, words in verbs.items()}, ROUNDS, WARM_UP)
    print(table(runs))
    for name, words in verbs.items():
        imported = subprocess.run(
            [sys.executable, "-c", PROBE.format(words=words)], capture_output=True, text=True, check=True
        ).stderr.strip()
        scaled = median(runs[name]) / median(runs[nothing]) * 0.02
        print(f"{name}: {scaled:.3f} s where an idle interpreter takes 0.02 s (bar: 0.25); heavy imports: {imported}")


def _beside_kubectl(frozen: str, floor: str, kubectl: str) -> None:
    """Time whole processes, and `diagnose` until its first request has arrived at an API server."""
    version, get = "kubectl version --client", "kubectl get service"
    commands = {
        "a frozen program that only prints": [floor],
        version: [kubectl, "version", "--client"],
        get: [kubectl, "get", "service"],
        "frozen --help": [frozen, "--help"],
    }
    until = "frozen diagnose, until its first request"
    runs: dict[str, list[Run]] = {name: [] for name in [*commands, until]}
    with door() as opened:
        for number in range(WARM_UP + ROUNDS):
            once = {name: run(command) for name, command in commands.items()}
            once[until] = opened.knock([frozen, "diagnose", "greeter", "--kubeconfig", str(opened.kubeconfig)])
            for name, one in once.items() if number >= WARM_UP else ():
                runs[name].append(one)
    print("\n" + table(runs))
    print(f"--help: {median(runs['frozen --help']) / median(runs[version]):.2f} times {version} (bar: 3)")
    print(f"diagnose until its first request: {median(runs[until]) / median(runs[get]):.2f} times {get} (bar: 3)")


def _floor() -> str:
    """Freeze, as the program is frozen, one that only prints."""
    program = FLOOR / "floor" / "floor"
    if not program.exists():
        FLOOR.mkdir(parents=True, exist_ok=True)
        script = FLOOR / "floor.py"
        script.write_text('print("hello")\n')
        words = ["--onedir", "--noconfirm", "--log-level", "ERROR", "--debug", "noarchive", "--distpath", str(FLOOR)]
        where = ["--workpath", str(FLOOR / "work"), "--specpath", str(FLOOR)]
        subprocess.run([FREEZER, "-m", "PyInstaller", *words, *where, str(script)], check=True)
    return str(program)


if __name__ == "__main__":
    main()
