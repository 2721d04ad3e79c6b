"""`kubectl-grpclb` completed by real shells on a real pseudo-terminal, without a cluster."""

import json
import os
import pathlib
import sysconfig
from collections.abc import Iterator

import pytest

from kubectl_grpclb.completion.process import LIMIT_VARIABLE
from tests.terminal import LEFT, OVER, PROMPT, SHELLS, TAB, Terminal, terminal

CONTEXTS = ("shop-prod", "shop-test", "arn:aws:eks:eu-west-1:123456789012:cluster/shop", "jo@staging")
ASKS = "echo Password: >&2; echo Password: >/dev/tty; read word </dev/tty; read word; exit 1"
PLUGIN = {"command": "sh", "args": ["-c", ASKS], "apiVersion": "client.authentication.k8s.io/v1"}
"""Credentials that ask the user, by every way to a terminal."""
HOSTILE = ("shop-$(touch pwned)", "shop-`touch pwned`", "shop-;touch pwned", "shop-\x1b[2J", "shop-'\"")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A home directory with a kubeconfig of a few contexts, whose cluster is not there, and a recorded file."""
    home = tmp_path_factory.mktemp("home")
    (home / "recorded-greeter.json").write_text("{}")
    (home / "kubectl-grpclb").symlink_to(pathlib.Path(sysconfig.get_path("scripts"), "kubectl-grpclb"))
    kubeconfig = {
        "contexts": [{"name": name, "context": {"cluster": "shop", "user": "jo"}} for name in (*CONTEXTS, *HOSTILE)],
        "clusters": [{"name": "shop", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "jo", "user": {"exec": PLUGIN}}],
        "current-context": "shop-prod",
    }
    (home / "shop.kubeconfig").write_text(json.dumps(kubeconfig))
    return home


@pytest.fixture(scope="module", params=list(SHELLS))
def shell(request: pytest.FixtureRequest, home: pathlib.Path) -> Iterator[Terminal]:
    """A shell that has loaded the script of `completion`."""
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "KUBECONFIG": str(home / "shop.kubeconfig"), LIMIT_VARIABLE: "30"}
    shell = SHELLS[request.param]
    with terminal(shell, home, (f"kubectl-grpclb completion {shell.name}",), environment) as screen:
        yield screen


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("kubectl-grpclb diag", "kubectl-grpclb diagnose "),
        ("kubectl-grpclb diagnose --fail", "kubectl-grpclb diagnose --fail-on "),
        ("kubectl-grpclb diagnose --fail-on w", "kubectl-grpclb diagnose --fail-on warning "),
        ("kubectl-grpclb diagnose -o j", "kubectl-grpclb diagnose -o json "),
        ("kubectl-grpclb diagnose --output=y", "kubectl-grpclb diagnose --output=yaml "),
        ("kubectl-grpclb fix greeter --strategy he", "kubectl-grpclb fix greeter --strategy headless "),
        ("kubectl-grpclb explain GLB107", "kubectl-grpclb explain GLB107 "),
        ("kubectl-grpclb explain glb403", "kubectl-grpclb explain glb403 "),
        ("kubectl-grpclb diagnose --context jo", "kubectl-grpclb diagnose --context jo@staging "),
        (
            "kubectl-grpclb diagnose --context arn:aws:e",
            "kubectl-grpclb diagnose --context arn:aws:eks:eu-west-1:123456789012:cluster/shop ",
        ),
        (
            "kubectl-grpclb diagnose --context=arn:aws:e",
            "kubectl-grpclb diagnose --context=arn:aws:eks:eu-west-1:123456789012:cluster/shop ",
        ),
        ("kubectl-grpclb diagnose --context shop-p", "kubectl-grpclb diagnose --context shop-prod "),
        ("kubectl-grpclb diagnose --from rec", "kubectl-grpclb diagnose --from recorded-greeter.json "),
        ("kubectl-grpclb diagnose --from=rec", "kubectl-grpclb diagnose --from=recorded-greeter.json "),
    ],
)
def test_a_word_that_can_only_be_one_is_completed(shell: Terminal, line: str, whole: str) -> None:
    shell.completes(line, whole)


def test_verbs_are_listed_with_what_they_do(shell: Terminal) -> None:
    shell.offers("kubectl-grpclb ver", "verify", "version", "Check whether a fix worked.", "Print the version.")


def test_flags_are_listed_with_what_they_do(shell: Terminal) -> None:
    seen = shell.offers(
        "kubectl-grpclb diagnose --context shop-test --c", "--cluster-domain", "DNS domain of the cluster"
    )

    assert "Name of the kubeconfig context" not in seen


def test_codes_are_listed_with_their_titles(shell: Terminal) -> None:
    shell.offers("kubectl-grpclb explain GLB40", "GLB401", "GLB404", "Long streams pin the load")


def test_contexts_are_listed_and_no_hostile_one(shell: Terminal, home: pathlib.Path) -> None:
    seen = shell.offers("kubectl-grpclb fix --context shop-", "shop-prod", "shop-test")

    assert "touch" not in seen
    assert not (home / "pwned").exists()


def test_a_list_goes_on_without_a_blank(shell: Terminal) -> None:
    shell.type("kubectl-grpclb diagnose --via metrics,chan" + TAB + ",prom" + TAB)

    shell.until_line("kubectl-grpclb diagnose --via metrics,channelz,prometheus")
    shell.empty()


def test_a_word_is_completed_where_the_cursor_is(shell: Terminal) -> None:
    shell.type("kubectl-grpclb diagnose --outp -n shop" + LEFT * len(" -n shop") + TAB)

    shell.until("kubectl-grpclb diagnose --output")
    shell.empty()


def test_the_program_may_be_named_by_its_path(shell: Terminal) -> None:
    shell.completes("~/kubectl-grpclb diag", "~/kubectl-grpclb diagnose ")
    shell.completes("./kubectl-grpclb expl", "./kubectl-grpclb explain ")


@pytest.mark.parametrize(
    "line", ["kubectl-grpclb diagnose ", "kubectl-grpclb fix -n ", "kubectl-grpclb fix greeter --port "]
)
def test_without_credentials_nothing_is_asked_said_or_offered(shell: Terminal, line: str) -> None:
    assert shell.stays(line).splitlines() == [f"{PROMPT}{line}{OVER}"]


@pytest.mark.parametrize("line", ["kubectl-grpclb explain GLB999", "kubectl-grpclb demo ", "kubectl-grpclb nope "])
def test_where_nothing_fits_the_line_stays_and_no_files_are_offered(shell: Terminal, line: str) -> None:
    assert shell.stays(line).splitlines() == [f"{PROMPT}{line}{OVER}"]
