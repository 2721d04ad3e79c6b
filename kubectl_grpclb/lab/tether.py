"""A lab process's side of its pipes: it lives as long as its parent holds them open, and no longer."""

import os
import sys
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

import msgspec

from kubectl_grpclb.lab.messages import Message

__all__ = ["say", "tether", "told"]

Instruction = TypeVar("Instruction")


def told(kind: type[Instruction]) -> Instruction:
    """Wait for the one instruction that the parent sends; end quietly where the parent ends first."""
    line = sys.stdin.buffer.readline()
    if not line:
        raise SystemExit(0)
    return msgspec.json.decode(line, type=kind)


def tether(end: Callable[[], object] = lambda: os._exit(0)) -> None:
    """End this process when standard input does, or what else is given.

    The kernel closes the parent's end of the pipe however the parent ends, SIGKILL included.
    """
    Thread(target=_end_with_input, args=(end,), daemon=True).start()


def say(message: Message) -> None:
    """Tell the parent."""
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_input(end: Callable[[], object]) -> None:
    while os.read(0, 4096):
        pass
    end()
