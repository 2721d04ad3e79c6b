"""What a shell is offered of a cluster and a kubeconfig, and what is asked for it."""

import subprocess
import sys

import pytest

from tests.cluster.api_server import hangs
from tests.completion.completing import NOTHING, Complete, objects, service

PORTS = (
    {"name": "grpc", "port": 80},
    {"name": "dns", "port": 53, "protocol": "UDP"},
    {"name": "admin", "port": 8080, "protocol": "TCP"},
)


def test_services_of_the_contexts_namespace_are_offered(complete: Complete) -> None:
    done = complete("diagnose ", objects("cart", "greeter"))

    assert done.said == "cart\ngreeter\n:4\n"
    assert [request.path for request in done.requests] == ["/api/v1/namespaces/shop/services"]


def test_a_list_is_asked_for_in_pages(complete: Complete) -> None:
    done = complete("diagnose gr", objects("cart", "greeter", token="t2"), objects("greeter-canary", "web"))

    assert done.said == "greeter\ngreeter-canary\n:4\n"
    assert [dict(request.query) for request in done.requests] == [
        {"limit": "500"},
        {"limit": "500", "continue": "t2"},
    ]


def test_a_list_without_an_end_is_not_read_to_it(complete: Complete) -> None:
    done = complete("diagnose ", objects(*(f"greeter-{n}" for n in range(400)), token="more"))

    assert len(done.said.splitlines()) == 501
    assert len(done.requests) == 2


def test_pages_without_a_fitting_name_are_not_asked_for_ever(complete: Complete) -> None:
    done = complete("diagnose x", objects("cart", token="more"))

    assert done.said == NOTHING
    assert len(done.requests) <= 10


def test_flags_on_the_line_say_which_namespace_and_as_whom(complete: Complete) -> None:
    done = complete("fix -n payments --as jo --as-group dev --as-group ops gr", objects("greeter"))

    (request,) = done.requests
    assert request.path == "/api/v1/namespaces/payments/services"
    assert request.headers["Impersonate-User"] == "jo"
    assert request.headers.getall("Impersonate-Group") == ["dev", "ops"]


def test_another_kubeconfig_on_the_line_is_read_with_its_tilde(complete: Complete) -> None:
    done = complete("fix --kubeconfig ~/kubeconfig --context shop-prod --cluster prod ", objects("greeter"))

    assert done.said == "greeter\n:4\n"


def test_namespaces_are_offered(complete: Complete) -> None:
    done = complete("diagnose -n sh", objects("shop", "shop-test", "kube-system"))

    assert done.said == "shop\nshop-test\n:4\n"
    assert [request.path for request in done.requests] == ["/api/v1/namespaces"]


def test_contexts_and_clusters_are_read_from_the_kubeconfig_alone(complete: Complete) -> None:
    assert complete("diagnose --context ", hangs).said == "shop-prod\n:4\n"
    assert complete("diagnose --cluster ", hangs).said == "prod\n:4\n"


@pytest.mark.parametrize("kind", ["svc/", "service/", "services/"])
def test_the_kind_before_a_name_stays(complete: Complete, kind: str) -> None:
    assert complete(f"fix {kind}gr", objects("cart", "greeter")).said == f"{kind}greeter\n:4\n"


@pytest.mark.parametrize("line", ["fix deploy/gr", "fix deploy/greeter --port ", "diagnose pods/"])
def test_what_is_no_service_is_asked_nothing_about(complete: Complete, line: str) -> None:
    done = complete(line, objects("greeter"))

    assert done.said == NOTHING
    assert done.requests == []


def test_a_service_that_is_named_already_is_not_offered_again(complete: Complete) -> None:
    assert complete("diagnose svc/cart ", objects("cart", "greeter")).said == "greeter\n:4\n"


def test_the_named_services_ports_are_offered(complete: Complete) -> None:
    done = complete("diagnose greeter --port ", service(*PORTS))

    assert done.said == "grpc\t80/TCP\nadmin\t8080/TCP\n:4\n"
    assert [request.path for request in done.requests] == ["/api/v1/namespaces/shop/services/greeter"]


def test_a_port_without_a_name_is_offered_by_its_number(complete: Complete) -> None:
    assert complete("fix svc/greeter --port ", service({"port": 50051})).said == "50051\n:4\n"


def test_a_port_that_is_begun_as_a_number_is_offered_as_one(complete: Complete) -> None:
    assert complete("fix greeter --port=8", service({"name": "grpc", "port": 80})).said == "80\tgrpc\n:4\n"


@pytest.mark.parametrize("line", ["diagnose --port ", "diagnose ../nodes --port ", "fix svc/% --port "])
def test_without_a_services_name_no_port_is_asked_for(complete: Complete, line: str) -> None:
    done = complete(line, service({"name": "grpc", "port": 80}))

    assert done.said == NOTHING
    assert done.requests == []


def test_hostile_names_never_reach_the_shell(complete: Complete) -> None:
    hostile = ("\x1b[2J", "a\nb", "a\tb", "$(reboot)", "UPPER", "-rf", "a" * 64, "a/b", ":1", "sh\u202eop")

    assert complete("diagnose ", objects(*hostile, "greeter")).said == "greeter\n:4\n"


@pytest.mark.parametrize("line", ["", "diagnose --o", "diagnose -n shop -o ", "explain GLB1", "fix --yes --strategy "])
def test_what_needs_no_cluster_imports_nothing_heavy(line: str) -> None:
    program = (
        "import sys, typer\nfrom kubectl_grpclb.cli import app\nfrom kubectl_grpclb.completion.question import answer\n"
        "from kubectl_grpclb.completion.sources import SOURCES\n"
        f"answer(typer.main.get_command(app), {line!r}.split(' '), SOURCES)\n"
        "print(*{'aiohttp', 'asyncio', 'pydantic', 'kubernetes', 'grpc', 'rich', 'yaml'} & set(sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout == b"\n"


def test_kubectls_own_name_for_it_does_the_same() -> None:
    program = (
        "import sys; sys.argv = ['kubectl_complete-grpclb', 'expl']\n"
        "from kubectl_grpclb.__main__ import complete; complete()"
    )

    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert said == "explain\tExplain a finding.\n:4\n"


def test_without_a_word_verbs_are_offered() -> None:
    words = [sys.executable, "-m", "kubectl_grpclb", "__complete"]

    assert subprocess.run(words, check=True, capture_output=True).stdout.startswith(b"diagnose\t")
