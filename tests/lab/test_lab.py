"""The lab: real processes that show where the requests land."""

import asyncio
import os
import signal
from collections.abc import Mapping

import pytest

from kubectl_grpclb.lab.child import Child
from kubectl_grpclb.lab.lab import Lab
from kubectl_grpclb.model.errors import GrpclbError, UsageError

RATE = 200.0
"""Calls a second of each client."""

Answers = dict[str, dict[str, int]]


def servers_used(counts: Mapping[str, int]) -> list[str]:
    return [server for server, count in counts.items() if count]


def spread(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """Between the server that answered most since `before` and the one that answered least."""
    answered = [after[server] - before[server] for server in before]
    return max(answered) - min(answered)


async def answers_of(lab: Lab, requests: int) -> Answers:
    async with lab:
        await lab.until_answered(requests)
        return lab.answers()


def test_behind_a_cluster_ip_all_answers_of_a_client_come_from_one_server() -> None:
    answers = asyncio.run(answers_of(Lab(servers=3, clients=2, rate=RATE), 50))
    assert [len(servers_used(counts)) for counts in answers.values()] == [1, 1]


def test_round_robin_behind_a_cluster_ip_still_stays_on_one_server() -> None:
    answers = asyncio.run(answers_of(Lab(servers=3, clients=1, policy="round_robin", rate=RATE), 50))
    assert [len(servers_used(counts)) for counts in answers.values()] == [1]


def test_round_robin_over_a_headless_service_answers_from_every_server_alike() -> None:
    async def watch() -> tuple[Answers, Answers]:
        async with Lab(servers=3, clients=2, headless=True, policy="round_robin", rate=RATE) as lab:
            before = lab.answers()
            await lab.until_answered(100)
            return before, lab.answers()

    before, after = asyncio.run(watch())
    assert all(spread(before[client], after[client]) <= 2 for client in after)


def test_a_headless_service_alone_leaves_a_client_on_its_first_address() -> None:
    answers = asyncio.run(answers_of(Lab(servers=2, clients=1, headless=True, rate=RATE), 50))
    assert [len(servers_used(counts)) for counts in answers.values()] == [1]


def test_two_labs_at_once_use_ports_of_their_own_and_one_seed_places_alike() -> None:
    async def both() -> tuple[Lab, Lab]:
        async with Lab(servers=4, clients=2, seed=7) as one, Lab(servers=4, clients=2, seed=7) as other:
            return one, other

    one, other = asyncio.run(both())
    assert one.topology.target_port != other.topology.target_port
    assert list(map(servers_used, one.answers().values())) == list(map(servers_used, other.answers().values()))


def test_what_each_server_answered_adds_up_to_what_the_clients_got() -> None:
    async def count() -> Lab:
        async with Lab(servers=2, clients=2, headless=True, policy="round_robin") as lab:
            return lab

    lab = asyncio.run(count())
    assert sum(lab.answered().values()) == sum(sum(counts.values()) for counts in lab.answers().values())
    assert list(lab.answered()) == [server.name for server in lab.topology.servers]


def test_a_server_that_ends_by_itself_is_an_error_that_names_it() -> None:
    async def kill_a_server() -> None:
        async with Lab(servers=1, clients=1) as lab:
            os.kill(lab.topology.servers[0].pid, signal.SIGKILL)
            await lab.until_answered(1_000_000)

    with pytest.raises(GrpclbError, match=r"^greeter-6d8f9c7b54-nw7ts of the lab ended by itself"):
        asyncio.run(kill_a_server())


def test_a_server_that_cannot_bind_its_address_says_so() -> None:
    async def serve() -> Child:
        arguments = ("--name", "greeter-6d8f9c7b54-4x2kp", "--host", "192.0.2.1", "--port", "50051")
        child = await Child.start("greeter-6d8f9c7b54-4x2kp", "server", arguments, lambda _name, _message: None)
        await child.gone()
        return child

    child = asyncio.run(serve())
    assert child.ended
    assert "192.0.2.1:50051" in child.last_words


@pytest.mark.parametrize(("servers", "clients"), [(0, 2), (3, 0), (101, 2)])
def test_a_lab_of_none_or_of_too_many_is_refused(servers: int, clients: int) -> None:
    with pytest.raises(UsageError, match="1 to 100"):
        Lab(servers=servers, clients=clients)


def test_the_topology_of_a_lab_that_has_not_started_is_not_known() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Lab().topology
