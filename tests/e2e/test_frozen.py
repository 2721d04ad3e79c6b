"""The archive of this machine, as krew would unpack it, where there is no Python: `make dist` makes it.

Its root has the archive, kubectl, a kubeconfig and a C library, and nothing else: no shell, no Python.
"""

import base64
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator

import pytest

from release.platforms import this_machine
from release.project import DIST, PROGRAM, version
from tests.e2e import scenes
from tests.e2e.kubectl import apply, grpclb, kubectl, rolled_out, truth

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux may change its root"),
]

NAMESPACE = "grpclb-e2e-frozen"
IMAGE = ("--envoy-image", "grpclb.test/envoy:1.40.0")
C_LIBRARY = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libresolv.so.2")
ENTER = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/kubectl grpclb "$@"'
"""kubectl and the program's launcher ask /proc where they are; gRPC takes random numbers from /dev/urandom."""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The archive's content."""
    path = DIST / this_machine().archive_name(version())
    if not path.exists():
        pytest.skip(f"there is no {path.name}: make dist")
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def bare(unpacked: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A root with no more than the program needs."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(unpacked / PROGRAM, root / PROGRAM)
    for folder in ("bin", "dev", "tmp", "home", "proc"):
        (root / folder).mkdir()
    os.mknod(root / "dev" / "urandom", stat.S_IFCHR | 0o444, os.makedev(1, 9))
    shutil.copy(shutil.which("kubectl") or "", root / "bin" / "kubectl")
    (root / "kubeconfig").write_text(kubectl("config", "view", "--raw", "--minify", "--flatten"))
    loader = next(pathlib.Path("/lib64").glob("ld-linux-*.so.*"), None) or next(pathlib.Path("/lib").glob("ld-linux-*"))
    library = pathlib.Path(loader.resolve().parent)
    for name in C_LIBRARY:
        _copy(library / name, root)
    (root / loader.parent.relative_to("/")).mkdir(exist_ok=True)
    shutil.copy(loader, root / loader.relative_to("/"))
    return root


@pytest.fixture(scope="module")
def shop(unpacked: pathlib.Path) -> Iterator[str]:
    """The sticky example in a namespace, which is made only where there is a program to try on it."""
    kubectl("create", "namespace", NAMESPACE)
    try:
        apply(NAMESPACE, [scenes.service("greeter"), scenes.servers("greeter", channelz=True)])
        rolled_out(NAMESPACE, ["deployment/greeter"])
        apply(NAMESPACE, [scenes.callers("greeter", "greeter:80")])
        rolled_out(NAMESPACE, ["deployment/greeter-caller"])
        yield NAMESPACE
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _copy(path: pathlib.Path, root: pathlib.Path) -> None:
    beside = root / path.parent.relative_to("/")
    beside.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, beside)


def inside(root: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl and the plugin with that root, and with an environment that knows nothing else."""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", ENTER, root, *words],
        env={"PATH": f"/bin:/{PROGRAM}:/usr/bin:/usr/sbin", "HOME": "/home", "KUBECONFIG": "/kubeconfig"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def outside(unpacked: pathlib.Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program on this machine."""
    return subprocess.run(
        [unpacked / PROGRAM / PROGRAM, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_there_is_no_python_where_it_is_tried(bare: pathlib.Path) -> None:
    executable = {path.name for path in bare.rglob("*") if path.is_file() and os.access(path, os.X_OK)}

    assert {name for name in executable if ".so" not in name} == {PROGRAM, "kubectl"}


def test_it_says_what_it_is_and_has_the_pages_of_the_findings(bare: pathlib.Path) -> None:
    page = pathlib.Path(__file__).parents[2] / "kubectl_grpclb" / "rules" / "glb101.md"

    assert inside(bare, "version").stdout.startswith(f"kubectl-grpclb {version()}\n")
    assert inside(bare, "explain", "GLB101").stdout == page.read_text()


@pytest.mark.parametrize("source", ["channelz", "exec"])
def test_it_diagnoses_the_sticky_example_as_it_is(bare: pathlib.Path, shop: str, source: str) -> None:
    done = inside(bare, "diagnose", "greeter", "-n", shop, "--via", source, "-o", "json")

    found = json.loads(done.stdout or "{}")
    assert done.returncode == 1, done.stderr
    assert found["verdict"] == "unbalanced"
    assert found["findings"][0]["code"] == "GLB101"
    assert {pod["name"]: pod["connections"] for pod in found["pods"]} == truth(shop, "greeter")


def test_it_says_what_the_same_version_from_source_says(bare: pathlib.Path, shop: str) -> None:
    kept = inside(bare, "record", "greeter", "-n", shop, "-f", "/tmp/greeter.json")

    shown = inside(bare, "diagnose", "--from", "/tmp/greeter.json", "-o", "json")
    from_source = grpclb("diagnose", "--from", str(bare / "tmp" / "greeter.json"), "-o", "json")
    assert kept.returncode == 0, kept.stderr
    assert (shown.stdout, shown.returncode) == (from_source.stdout, from_source.returncode)


def test_it_fixes_verifies_and_rolls_back(bare: pathlib.Path, shop: str) -> None:
    before = kubectl("get", "service", "greeter", "-n", shop, "-o", "jsonpath={.spec}")

    fixed = inside(bare, "fix", "greeter", "-n", shop, "--yes", "--recycle", "clients", *IMAGE)
    verified = inside(bare, "verify", "greeter", "-n", shop)
    rolled_back = inside(bare, "rollback", "greeter", "-n", shop, "--yes")

    assert (fixed.returncode, verified.returncode, rolled_back.returncode) == (0, 0, 0), fixed.stderr
    assert fixed.stdout.splitlines()[0].startswith("FIXED")
    assert verified.stdout.startswith("FIXED")
    assert kubectl("get", "service", "greeter", "-n", shop, "-o", "jsonpath={.spec}") == before


def test_a_credential_plugin_gets_the_users_environment_and_not_the_programs(
    unpacked: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    kept = tmp_path / "environment"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", f"env > {kept}; exit 1"],
        "interactiveMode": "Never",
    }
    kubeconfig = _kubeconfig(tmp_path, {"exec": plugin})

    outside(unpacked, "diagnose", "greeter", KUBECONFIG=kubeconfig, LD_LIBRARY_PATH="/mine")

    told = dict(line.split("=", 1) for line in kept.read_text().splitlines() if "=" in line)
    assert told["LD_LIBRARY_PATH"] == "/mine"
    assert [name for name in told if name.startswith("_PYI")] == []


def test_it_has_the_library_for_a_kubeconfigs_auth_provider(unpacked: pathlib.Path, tmp_path: pathlib.Path) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 4102444800}).encode()).decode().rstrip("=")
    provider = {"name": "oidc", "config": {"id-token": f"e30.{claims}.c2ln", "idp-issuer-url": "https://idp.invalid"}}

    done = outside(unpacked, "diagnose", "greeter", KUBECONFIG=_kubeconfig(tmp_path, {"auth-provider": provider}))

    assert done.returncode == 4
    assert "refused your credentials (401 Unauthorized)" in done.stderr


def test_its_demo_starts_real_servers_and_clients(unpacked: pathlib.Path) -> None:
    done = outside(unpacked, "demo", PATH="/nonexistent")

    assert done.returncode == 0, done.stderr
    assert "UNBALANCED" in done.stdout
    assert "BALANCED" in done.stdout.replace("UNBALANCED", "")


def _kubeconfig(folder: pathlib.Path, user: object) -> str:
    """Give the path of a kubeconfig for the test cluster with another user."""
    whole = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    whole["users"] = [{"name": whole["users"][0]["name"], "user": user}]
    path = folder / "kubeconfig"
    path.write_text(json.dumps(whole))
    return str(path)
