"""`kubectl grpclb` completed by real shells, through kubectl's own completion, on a real cluster."""

import os
import pathlib
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubectl_grpclb.completion.process import LIMIT_VARIABLE
from tests.e2e.scenes import service
from tests.terminal import OVER, PROMPT, SHELLS, Terminal, terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop(namespace: str, apply: Callable[..., None]) -> str:
    """A namespace with three Services; nothing runs behind them."""
    admin: dict[str, Any] = {"ports": [{"name": "grpc", "port": 80}, {"name": "admin", "port": 8080}]}
    apply(service("greeter", **admin), service("greeter-canary"), service("cart"))
    return namespace


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A home directory with a recorded file, and what `completion --install` wrote in its bin."""
    home = tmp_path_factory.mktemp("home")
    (home / "recorded-greeter.json").write_text("{}")
    (home / "bin").mkdir()
    words = ["kubectl", "grpclb", "completion", "--install", "--yes", "--dir", str(home / "bin")]
    subprocess.run(words, check=True, capture_output=True)
    return home


@pytest.fixture(scope="module", params=list(SHELLS))
def shell(request: pytest.FixtureRequest, home: pathlib.Path) -> Iterator[Terminal]:
    """A shell that has loaded kubectl's own completion, and nothing of ours."""
    path = os.pathsep.join((str(home / "bin"), sysconfig.get_path("scripts"), os.environ["PATH"]))
    environment = {"PATH": path, "KUBECONFIG": os.environ["KUBECONFIG"], LIMIT_VARIABLE: "30"}
    shell = SHELLS[request.param]
    with terminal(shell, home, (f"kubectl completion {shell.name}",), environment) as screen:
        yield screen


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("kubectl grpclb diag", "kubectl grpclb diagnose "),
        ("kubectl grpclb diagnose --output=y", "kubectl grpclb diagnose --output=yaml "),
        ("kubectl grpclb explain GLB107", "kubectl grpclb explain GLB107 "),
        ("kubectl grpclb diagnose --from rec", "kubectl grpclb diagnose --from recorded-greeter.json "),
        ("kubectl grpclb diagnose -n {cut}", "kubectl grpclb diagnose -n {shop} "),
        ("kubectl grpclb diagnose --namespace={cut}", "kubectl grpclb diagnose --namespace={shop} "),
        ("kubectl grpclb fix -n {shop} svc/ca", "kubectl grpclb fix -n {shop} svc/cart "),
        ("kubectl grpclb fix -n {shop} greeter --port a", "kubectl grpclb fix -n {shop} greeter --port admin "),
    ],
)
def test_a_word_that_can_only_be_one_is_completed(shell: Terminal, shop: str, line: str, whole: str) -> None:
    shell.completes(line.format(shop=shop, cut=shop[:-2]), whole.format(shop=shop))


def test_a_namespaces_services_are_listed(shell: Terminal, shop: str) -> None:
    shell.offers(f"kubectl grpclb diagnose -n {shop} ", "cart", "greeter", "greeter-canary")


def test_ports_are_listed_with_their_numbers(shell: Terminal, shop: str) -> None:
    shell.offers(f"kubectl grpclb diagnose greeter -n {shop} --port ", "grpc", "80/TCP", "admin", "8080/TCP")


def test_what_may_not_be_seen_is_passed_over_in_silence(shell: Terminal, shop: str) -> None:
    line = f"kubectl grpclb diagnose --as nobody-{shop} -n {shop} "

    assert shell.stays(line).splitlines() == [f"{PROMPT}{line}{OVER}"]
