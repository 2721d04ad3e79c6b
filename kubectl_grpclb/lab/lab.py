"""A Service, its servers and its clients as processes of this machine."""

import asyncio
import socket
from collections.abc import Callable
from hashlib import sha256
from types import TracebackType
from typing import Literal, Self

from kubectl_grpclb.lab.child import Child, end_all
from kubectl_grpclb.lab.messages import Dial, Front, Launch, Message, Placement, Ready, Tally
from kubectl_grpclb.lab.ports import bind_together, require_addresses
from kubectl_grpclb.lab.proxy import Proxy, listener_names, on_loopback
from kubectl_grpclb.model.errors import GrpclbError, UsageError
from kubectl_grpclb.model.topology import LabClient, LabServer, Topology

__all__ = ["Lab", "Policy"]

Policy = Literal["pick_first", "round_robin"]
"""How a client places its calls; pick_first is what gRPC does unless it is told otherwise."""

_BALANCER = "balancer"
_CLUSTER_IP = "127.0.0.10"
_AT_MOST = 100
"""Servers, and clients: more processes than a machine of today likes to start."""

_START_LIMIT = 30.0
"""Seconds until every client must have been answered; an idle machine takes about one."""

_SAFE = "bcdfghjklmnpqrstvwxz2456789"
"""The characters of generated names (kubernetes/apimachinery pkg/util/rand): no vowels, no lookalikes."""


class Lab:
    """Real gRPC servers and clients, each with a loopback address of its own, for as long as it is entered.

    With a ClusterIP every connection is placed on a server at random when it opens, as kube-proxy does.
    `headless` gives the clients the servers' own addresses instead, which `round_robin` makes use of.
    `proxy` puts Envoys behind the ClusterIP and before the servers, as `fix` does.
    Each client has one channel and calls `rate` times a second; `seed` makes the placement repeatable.
    """

    def __init__(
        self,
        *,
        servers: int = 3,
        clients: int = 2,
        headless: bool = False,
        policy: Policy = "pick_first",
        rate: float = 50.0,
        seed: int | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        if not (1 <= servers <= _AT_MOST and 1 <= clients <= _AT_MOST):
            raise UsageError(f"the lab takes 1 to {_AT_MOST} servers and as many clients")
        self._server_ips = {_name("greeter-6d8f9c7b54", n): f"127.0.0.{n + 11}" for n in range(servers)}
        self._client_ips = {_name("caller-5b7c9d8f6", n): f"127.0.1.{n + 11}" for n in range(clients)}
        if headless and proxy:
            raise UsageError("clients that know the servers' addresses go past a proxy")
        replicas = proxy.replicas if proxy else 0
        self._envoy_ips = {_name("greeter-grpclb-envoy-7c6bd9f458", n): f"127.0.2.{n + 11}" for n in range(replicas)}
        self._proxy = proxy
        self._headless, self._policy, self._rate, self._seed = headless, policy, rate, seed
        self._children: dict[str, Child] = {}
        self._held: list[socket.socket] = []
        self._ready: dict[str, Ready] = {}
        self._tallies: dict[str, Tally] = {}
        self._news = asyncio.Event()
        self._topology: Topology | None = None

    @property
    def topology(self) -> Topology:
        """What runs where. Raises RuntimeError before the lab is entered."""
        if self._topology is None:
            raise RuntimeError("the lab has not started")
        return self._topology

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process that the lab has started, the balancer's included; an Envoy is the child of one of them."""
        return tuple(child.pid for child in self._children.values())

    @property
    def envoys(self) -> tuple[LabServer, ...]:
        """The Envoys, which listen on the servers' port; there are some once the lab is entered."""
        started = [name for name in self._envoy_ips if name in self._children]
        return tuple(LabServer(name, self._envoy_ips[name], self._children[name].pid) for name in started)

    def answers(self) -> dict[str, dict[str, int]]:
        """Count the requests that were answered so far: by client, then by server, zeros included."""
        return {
            client: {server: self._answered(client).get(server, 0) for server in self._server_ips}
            for client in self._client_ips
        }

    def answered(self) -> dict[str, int]:
        """Count the requests that each server has answered so far, to all clients."""
        counts = self.answers().values()
        return {server: sum(count[server] for count in counts) for server in self._server_ips}

    async def until_answered(self, requests: int) -> None:
        """Wait until every client has got so many answers. Raises GrpclbError where a process ends first."""
        await self._until(lambda: all(sum(count.values()) >= requests for count in self.answers().values()))

    async def __aenter__(self) -> Self:
        """Start every process and wait until every client is answered. Raises GrpclbError."""
        require_addresses([*self._server_ips.values(), *self._client_ips.values(), *self._envoy_ips.values()])
        try:
            async with asyncio.timeout(_START_LIMIT):
                await self._start()
        except TimeoutError as error:
            await self._stop()
            raise GrpclbError(
                f"the lab's clients got no answer within {_START_LIMIT:.0f} s: either this machine is too busy, "
                "or something on it keeps processes from connecting over loopback"
            ) from error
        except OSError as error:
            await self._stop()
            raise GrpclbError(f"the lab's processes could not be started: {error}") from error
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End and reap every process."""
        await self._stop()

    async def _start(self) -> None:
        port, self._held = bind_together([*self._server_ips.values(), *self._envoy_ips.values()])
        for name, ip in self._server_ips.items():
            await self._run(name, "server", "--name", name, "--host", ip, "--port", str(port))
        await self._run(_BALANCER, "balancer")
        for name in self._client_ips:
            await self._run(name, "client", "--name", name, "--policy", self._policy, "--rate", str(self._rate))
        self._children[_BALANCER].tell(Placement(self._fronts(), port, self._seed))
        await self._until(lambda: self._ready.keys() >= {*self._server_ips, _BALANCER})
        fronts = self._ready[_BALANCER].ports
        if self._proxy:
            await self._start_envoys(self._proxy, port, fronts[0])
        for name, ip in self._client_ips.items():
            self._children[name].tell(Dial("ipv4:" + ",".join(f"{ip}:{front}" for front in fronts)))
        await self._until(lambda: all(self._connected(name) for name in self._client_ips))
        self._topology = self._describe(port if self._headless else fronts[0], port)

    async def _start_envoys(self, proxy: Proxy, port: int, front: int) -> None:
        """Put them where the balancer's connections go; each has the same ports, on an address of its own."""
        ports = {name: port if name == "grpc" else self._free_port() for name in listener_names(proxy.config)}
        admin = self._free_port(hold=False)
        for name, ip in self._envoy_ips.items():
            config = on_loopback(
                proxy.config,
                admin=(ip, admin),
                listeners={listener: (ip, number) for listener, number in ports.items()},
                clusters={
                    "servers": [(server, port) for server in self._server_ips.values()],
                    "service": [(ip, front)],
                    "admin": [(ip, admin)],
                    "drain": [(ip, ports["drain"])],
                },
            )
            await self._run(name, "envoy")
            self._children[name].tell(Launch(proxy.binary, config, proxy.concurrency, ip, ports["status"]))
        await self._until(lambda: self._ready.keys() >= self._envoy_ips.keys())

    def _free_port(self, *, hold: bool = True) -> int:
        """Find a port on the Envoys' addresses; their admin interface takes only one that nobody holds."""
        port, held = bind_together(self._envoy_ips.values())
        self._held += held
        if not hold:
            for each in held:
                each.close()
        return port

    async def _run(self, name: str, module: str, *arguments: str) -> None:
        self._children[name] = await Child.start(name, module, arguments, self._hear)

    def _fronts(self) -> tuple[Front, ...]:
        """Give a ClusterIP one front that leads anywhere, a headless Service one a server that leads only there.

        With Envoys the ClusterIP leads to them, and they may dial it, too.
        """
        sources, backends = (*self._client_ips.values(), *self._envoy_ips.values()), tuple(self._server_ips.values())
        if self._headless:
            return tuple(Front(sources, (backend,)) for backend in backends)
        return (Front(sources, tuple(self._envoy_ips.values()) or backends),)

    def _connected(self, client: str) -> bool:
        channels = len(self._server_ips) if self._headless and self._policy == "round_robin" else 1
        return len(self._answered(client)) >= channels

    def _answered(self, client: str) -> dict[str, int]:
        tally = self._tallies.get(client)
        return tally.answers if tally else {}

    def _describe(self, port: int, target_port: int) -> Topology:
        pids = {name: child.pid for name, child in self._children.items()}
        return Topology(
            namespace="lab",
            service="greeter",
            cluster_ip=None if self._headless else _CLUSTER_IP,
            port=port,
            target_port=target_port,
            servers=tuple(LabServer(name, ip, pids[name]) for name, ip in self._server_ips.items()),
            clients=tuple(LabClient(name, ip, pids[name]) for name, ip in self._client_ips.items()),
        )

    def _hear(self, name: str, message: Message | None) -> None:
        match message:
            case Ready():
                self._ready[name] = message
            case Tally():
                self._tallies[name] = message
        self._news.set()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._all_alive()
            self._news.clear()
            await self._news.wait()

    def _all_alive(self) -> None:
        for child in self._children.values():
            if child.ended:
                raise GrpclbError(f"{child.name} of the lab ended by itself: {child.last_words}")

    async def _stop(self) -> None:
        try:
            await end_all(self._children.values())
        finally:
            for held in self._held:
                held.close()


def _name(replica_set: str, number: int) -> str:
    """Name a pod as Kubernetes does, the same at every run."""
    digest = sha256(f"{replica_set}/{number}".encode()).digest()
    return replica_set + "-" + "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:5])
