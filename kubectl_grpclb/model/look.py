"""The frame of a look at a pod's sockets: what marks its parts, and what the tools are called in it.

`probes` writes the script that prints it and reads it; `cluster.local` answers in the script's place.
"""

__all__ = [
    "DEBUG_IMAGE",
    "FORMAT",
    "LOOK",
    "MARK",
    "NARROW",
    "NODE_LOOK",
    "NONE",
    "PROC",
    "PURPOSE_LABEL",
    "RUN_LABEL",
    "SS",
    "WIDE",
]

MARK = "#grpclb "
"""Begins each line that is the script's own."""

FORMAT = "1"
"""The version of the frame, which its first line gives."""

SS, PROC, WIDE, NARROW, NONE = "ss", "proc", "netstat-wide", "netstat-narrow", "none"

DEBUG_IMAGE = "busybox:1.37.0"
"""What an ephemeral container and a pod for a look from a node run, unless the user names another image."""

LOOK = "grpclb-look"
"""The ephemeral container that `--debug` gives a pod; another one beside it has a number after it."""

PURPOSE_LABEL, NODE_LOOK = "grpclb/purpose", "node-look"
"""On the pods that `--via node` runs, besides `model.bundle.MANAGED_BY`."""

RUN_LABEL = "grpclb/run"
"""On the same pods: a random word of its own for each."""
