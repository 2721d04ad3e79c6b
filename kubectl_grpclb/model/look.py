"""The frame of a look at a pod's sockets: what marks its parts, and what the tools are called in it.

`probes` writes the script that prints it and reads it; `cluster.local` answers in the script's place.
"""

__all__ = ["FORMAT", "MARK", "NARROW", "NONE", "PROC", "SS", "WIDE"]

MARK = "#grpclb "
"""Begins each line that is the script's own."""

FORMAT = "1"
"""The version of the frame, which its first line gives."""

SS, PROC, WIDE, NARROW, NONE = "ss", "proc", "netstat-wide", "netstat-narrow", "none"
