"""Addresses and ports of this machine that nobody else uses."""

import errno
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from kubectl_grpclb.model.errors import GrpclbError

__all__ = ["bind_together", "require_addresses"]


def bind_together(hosts: Iterable[str]) -> tuple[int, list[socket.socket]]:
    """Bind one TCP port on each of these IPv4 addresses; give the port and a socket an address.

    The port is free on every address of the machine when it is taken, and stays taken while one of the
    sockets is open. They do not listen. A process of the same user may listen on the port through
    SO_REUSEPORT, as a gRPC server does. Raises OSError.
    """
    with ExitStack() as stack:
        everywhere = stack.enter_context(_bound("", 0))
        port: int = everywhere.getsockname()[1]
        sockets = [stack.enter_context(_bound(host, port)) for host in hosts]
        stack.pop_all()
    everywhere.close()
    return port, sockets


def require_addresses(hosts: Sequence[str]) -> None:
    """See that each address is this machine's own. Raises GrpclbError that says how to add what is missing.

    Linux has all of 127.0.0.0/8, macOS has 127.0.0.1 alone.
    """
    missing = [host for host in hosts if not _is_here(host)]
    if missing:
        add = "ifconfig lo0 alias {} up" if sys.platform == "darwin" else "ip address add {}/32 dev lo"
        commands = "\n".join(f"  sudo {add.format(host)}" for host in missing)
        raise GrpclbError(
            "the lab gives every server and client a loopback address of its own, and this machine lacks "
            f"{len(missing)} of them; add them until the next restart with\n{commands}"
        )


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


def _is_here(host: str) -> bool:
    try:
        _bound(host, 0).close()
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return False
        raise GrpclbError(f"cannot use the loopback address {host} of this machine: {error}") from error
    return True
