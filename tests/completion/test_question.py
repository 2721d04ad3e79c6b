"""Which words may stand where, by the command line's own definition."""

from collections.abc import Iterable

import pytest
import typer
from typer._click.core import Command

from kubectl_grpclb.cli import app
from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.completion.protocol import Answer, Candidate, Directive
from kubectl_grpclb.completion.question import Given, answer
from kubectl_grpclb.completion.sources import FREE, SOURCES


def offered(line: str) -> list[str]:
    """Complete a line's last word, where the cluster and the kubeconfig have what the tests call for."""
    return [each.word for each in answered(line).candidates]


def answered(line: str) -> Answer:
    return answer(root(), line.split(" "), {**SOURCES, "services": services, "service": services})


def root() -> Command:
    return typer.main.get_command(app)


def services(given: Given, _: str) -> Iterable[Candidate]:
    """Two Services of the namespace that was given, so that it shows in the answer."""
    namespace = given.get("namespace") or "default"
    return [Candidate(f"{namespace}-cart"), Candidate(f"{namespace}-greeter")]


def test_verbs_come_first_in_the_order_of_the_help() -> None:
    assert offered("") == list(VERBS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("di", ["diagnose"]),
        ("ver", ["verify", "version"]),
        ("x", []),
        ("--h", ["--help"]),
        ("diagnose --fa", ["--fail-on"]),
        ("diagnose --fail-on ", ["error", "warning", "info", "never"]),
        ("diagnose --fail-on=w", ["warning"]),
        ("diagnose -o ", ["table", "wide", "json", "yaml"]),
        ("fix -o ", ["json", "yaml"]),
        ("fix --strategy ", ["auto", "envoy", "headless", "client", "gateway"]),
        ("fix --lb-policy r", ["round-robin"]),
        ("fix --dry-run=", ["none", "client", "server"]),
        ("fix --recycle c", ["clients"]),
        ("completion ", ["bash", "zsh", "fish"]),
        ("rbac ", ["diagnose", "record", "verify", "fix", "rollback"]),
        ("rbac fix r", ["record", "rollback"]),
        ("rbac --service ", ["default-cart", "default-greeter"]),
        ("explain GLB10", [f"GLB10{n}" for n in range(1, 10)]),
        ("explain glb40", ["glb401", "glb402", "glb403", "glb404"]),
        ("diagnose ", ["default-cart", "default-greeter"]),
        ("diagnose default-g", ["default-greeter"]),
        ("diagnose -n shop ", ["shop-cart", "shop-greeter"]),
        ("diagnose -nshop ", ["shop-cart", "shop-greeter"]),
        ("diagnose --namespace=shop ", ["shop-cart", "shop-greeter"]),
        ("fix --yes ", ["default-cart", "default-greeter"]),
        ("rollback -n shop shop-c", ["shop-cart"]),
        ("fix --dry-run=client ", ["default-cart", "default-greeter"]),
        ("diagnose --via metrics,ch", ["metrics,channelz"]),
        ("diagnose --via exec,exec,n", ["exec,exec,node"]),
        ("diagnose --via metrics,metrics", []),
        ("fix --via ", ["auto", "metrics", "channelz", "exec", "prometheus"]),
        ("fix --via exec,n", []),
        ("diagnose -- --", []),
    ],
)
def test_what_fits_is_offered(line: str, words: list[str]) -> None:
    assert offered(line) == words


@pytest.mark.parametrize(
    "line", ["fix greeter ", "explain GLB101 ", "nope ", "nope --", "diagnose --window ", "demo ", "fix --dry-run=x"]
)
def test_where_nothing_may_stand_nothing_is_offered(line: str) -> None:
    assert answered(line) == Answer()


@pytest.mark.parametrize(
    "line",
    [
        "diagnose --from ",
        "diagnose --from=",
        "record -f ",
        "diagnose --kubeconfig ",
        "diagnose --tls-ca ",
        "fix --from a",
        "completion --dir ",
    ],
)
def test_files_are_left_to_the_shell(line: str) -> None:
    assert answered(line) == Answer(directive=Directive.FILES)


def test_a_list_may_go_on_after_a_comma() -> None:
    assert answered("diagnose --via metr").directive == Directive.NO_FILES | Directive.NO_SPACE


def test_flags_come_by_their_long_name_with_their_help() -> None:
    assert answered("diagnose --names").candidates == (
        Candidate("--namespace", "Namespace of the Service. (default the context's)"),
    )


@pytest.mark.parametrize("given", ["-n shop", "--namespace shop", "--namespace=shop", "greeter -nshop"])
def test_a_flag_that_was_given_is_not_offered_again(given: str) -> None:
    assert "--namespace" not in offered(f"diagnose {given} --")


@pytest.mark.parametrize("given", ["--as-group developers", "--via metrics"])
def test_a_flag_that_may_be_repeated_is_offered_again(given: str) -> None:
    assert given.split(" ", maxsplit=1)[0] in offered(f"diagnose {given} --")


def test_both_ways_of_a_switch_are_offered() -> None:
    assert offered("fix --no-") == ["--no-network-policy"]


def test_a_single_hyphen_offers_what_two_do() -> None:
    assert offered("verify -") == offered("verify --")


def test_a_title_says_what_a_code_means() -> None:
    assert answered("explain GLB104").candidates == (Candidate("GLB104", "Pods added later stay idle"),)


@pytest.mark.parametrize("verb", VERBS)
def test_every_parameter_has_values_or_is_known_to_be_free(verb: str) -> None:
    group = root()
    context = group.make_context("kubectl grpclb", [verb], resilient_parsing=True)
    command = group.get_command(context, verb)  # type: ignore[attr-defined] # the root is a group

    unknown = [
        parameter.name
        for parameter in command.get_params(context)
        if not (
            parameter.name in SOURCES
            or parameter.name in FREE
            or getattr(parameter, "is_flag", False)
            or getattr(parameter, "count", False)
            or parameter.type_descriptor.is_path
            or parameter.type_descriptor.is_choice
        )
    ]

    assert unknown == [], "put them into SOURCES or FREE of completion/sources.py"
