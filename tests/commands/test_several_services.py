"""diagnose where something fails, a Service of several or the file: what is printed all the same, and the exit code."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubectl_grpclb import cli
from kubectl_grpclb.model.errors import ClusterError, GrpclbError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Reading, Refused, Request
from tests.commands.line import Run
from tests.fake_cluster import FakeCluster
from tests.shop import service, sticky

TWO_PORTS = [{"name": "web", "port": 80}, {"name": "admin", "port": 81}]
FORBIDDEN = Refused(GapReason.FORBIDDEN, 'services "cart" is forbidden: User "ann" cannot get it', 403)


def named(name: str, **spec: object) -> dict[str, Any]:
    """A Service that selects no pod."""
    return {**service(selector={"app": name}, **spec), "metadata": {"name": name, "namespace": "shop"}}


@pytest.fixture
def shop() -> FakeCluster:
    """greeter is sticky, web does not say which port carries gRPC, empty has no pods, cart may not be read."""
    services = [service(), named("web", ports=TWO_PORTS), named("empty"), named("cart")]
    return sticky(services=services, refused={"services/cart": FORBIDDEN})


@pytest.fixture
def diagnose(shop: FakeCluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Diagnose Services of the shop; gives exit code, standard output and standard error."""

    @asynccontextmanager
    async def connected(_: object) -> AsyncIterator[FakeCluster]:
        yield shop

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["kubectl-grpclb", "diagnose", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect", connected)
    monkeypatch.setattr("gc.freeze", lambda: None)
    return run


def test_a_service_that_is_not_there_takes_no_report_from_the_others(diagnose: Run) -> None:
    code, out, err = diagnose("greeter", "svc/greter")

    assert code == 4
    assert out.startswith("UNBALANCED")
    assert err == ('error: svc/greter: Service "greter" does not exist in namespace "shop"; did you mean greeter?\n')


def test_each_service_that_fails_is_named_in_its_order(diagnose: Run) -> None:
    code, out, err = diagnose("cart", "greeter", "web")

    told = [line for line in err.splitlines() if line.startswith("error: ")]
    assert code == 4
    assert out.startswith("UNBALANCED")
    assert told[0].startswith("error: svc/cart: not permitted to get services cart in namespace shop: ")
    assert told[1].startswith("error: svc/web: Service web has several ports")


def test_what_keeps_several_services_from_being_read_is_said_once(
    diagnose: Run, shop: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_: Request) -> Reading:
        raise ClusterError("cannot reach the API server https://prod:6443 (context 'shop-prod'): Connection refused")

    monkeypatch.setattr(shop, "read", gone)

    code, _, err = diagnose("greeter", "empty")

    assert code == 4
    assert err.startswith("error: svc/greeter, svc/empty: cannot reach the API server")
    assert err.count("cannot reach") == 1


def test_a_service_that_is_named_twice_is_diagnosed_once(diagnose: Run, shop: FakeCluster) -> None:
    diagnose("greeter")
    once = len(shop.requests)

    code, out, _ = diagnose("greeter", "svc/greeter", "-o", "json")

    assert code == 1
    assert [item["target"]["service"] for item in json.loads(out)["items"]] == ["greeter"]
    assert len(shop.requests) == 2 * once


def test_a_service_that_is_named_twice_is_complained_of_once(diagnose: Run) -> None:
    _, _, err = diagnose("web", "service/web", "cart")

    assert err.count("Service web has several ports") == 1
    assert "svc/web, svc/web" not in err


def test_a_port_without_a_name_is_shown_as_that(diagnose: Run) -> None:
    code, out, err = diagnose("web", "--port", "")

    assert (code, out) == (2, "")
    assert err.startswith('error: Service web has no TCP port ""; it has:\n')


def test_the_reports_that_there_are_come_as_one_list_of_json(diagnose: Run) -> None:
    _, out, _ = diagnose("greeter", "greter", "-o", "json")

    document = json.loads(out)
    assert document["kind"] == "ReportList"
    assert [item["target"]["service"] for item in document["items"]] == ["greeter"]


def test_the_reports_that_there_are_come_as_one_list_of_yaml(diagnose: Run) -> None:
    _, out, _ = diagnose("greeter", "greter", "-o", "yaml")

    document = yaml.safe_load(out)
    assert document["kind"] == "ReportList"
    assert [item["target"]["service"] for item in document["items"]] == ["greeter"]


def test_where_every_service_fails_the_list_is_empty(diagnose: Run) -> None:
    code, out, _ = diagnose("cart", "greter", "-o", "json")

    assert code == 4
    assert json.loads(out)["items"] == []


def test_where_every_service_fails_there_is_no_table(diagnose: Run) -> None:
    assert diagnose("cart", "greter")[:2] == (4, "")


@pytest.mark.parametrize(
    ("services", "exit_code"),
    [
        (("greeter", "greeter"), 1),
        (("greeter", "web"), 2),
        (("web", "empty"), 3),
        (("web", "empty", "cart"), 4),
    ],
)
def test_the_gravest_of_what_happened_is_the_exit_code(
    diagnose: Run, services: tuple[str, ...], exit_code: int
) -> None:
    assert diagnose(*services)[0] == exit_code


def test_a_single_service_that_fails_says_so_and_prints_nothing_else(diagnose: Run) -> None:
    code, out, err = diagnose("greter", "-o", "json")

    assert (code, out) == (4, "")
    assert err.startswith('error: Service "greter" does not exist')


def test_a_single_service_is_given_as_itself(diagnose: Run) -> None:
    assert json.loads(diagnose("greeter", "-o", "json")[1])["kind"] == "Report"


def test_a_file_that_cannot_be_written_takes_no_report(diagnose: Run) -> None:
    code, out, err = diagnose("greeter", "--record", "/nonexistent/greeter.json")

    assert code == 4
    assert out.startswith("UNBALANCED")
    assert err == "error: could not write the snapshot to /nonexistent/greeter.json: No such file or directory\n"


def test_a_report_that_cannot_be_written_takes_no_file(
    diagnose: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: str) -> None:
        raise GrpclbError("cannot write to standard output: No space left on device")

    monkeypatch.setattr("kubectl_grpclb.commands.diagnose.write", full)

    code, _, err = diagnose("greeter", "--record", str(tmp_path / "greeter.json"))

    assert (code, err) == (4, "error: cannot write to standard output: No space left on device\n")
    assert (tmp_path / "greeter.json").exists()
