"""Addresses and ports that nobody else uses."""

import errno
import socket
from contextlib import ExitStack

import pytest

from kubectl_grpclb.lab.ports import bind_together, require_addresses
from kubectl_grpclb.model.errors import GrpclbError


def test_one_port_is_held_on_every_address() -> None:
    port, sockets = bind_together(["127.0.0.11", "127.0.0.12"])
    with ExitStack() as stack:
        held = [stack.enter_context(each).getsockname() for each in sockets]
    assert held == [("127.0.0.11", port), ("127.0.0.12", port)]


def test_a_port_that_is_held_cannot_be_bound_by_others() -> None:
    port, (held,) = bind_together(["127.0.0.11"])
    with held, socket.socket() as other, pytest.raises(OSError) as refused:  # noqa: PT011 - its errno follows
        other.bind(("127.0.0.11", port))
    assert refused.value.errno == errno.EADDRINUSE


def test_the_next_port_is_another_one_while_the_first_is_held() -> None:
    port, (held,) = bind_together(["127.0.0.11"])
    with held:
        next_port, (next_held,) = bind_together(["127.0.0.12"])
    next_held.close()
    assert next_port != port


def test_an_address_that_the_machine_lacks_comes_with_the_command_that_adds_it() -> None:
    with pytest.raises(GrpclbError, match=r"lacks 1 of them.*\n  sudo .*192\.0\.2\.1"):
        require_addresses(["127.0.0.1", "192.0.2.1"])


def test_addresses_that_the_machine_has_pass() -> None:
    require_addresses(["127.0.0.1"])
