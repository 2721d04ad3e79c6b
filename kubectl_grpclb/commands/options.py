"""The flags that several verbs share, named and meant as kubectl's own."""

import re
from enum import StrEnum
from typing import Annotated

import typer

from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

__all__ = [
    "AssumeYes",
    "ClusterDomain",
    "Output",
    "OutputFormat",
    "Port",
    "Recycle",
    "RecycleWhat",
    "Timeout",
    "Verbose",
    "Window",
    "dns_domain",
    "duration",
    "image",
    "service_name",
]

_LENGTHS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_SERVICE_PREFIXES = frozenset({"svc", "service", "services"})


class OutputFormat(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


Output = Annotated[OutputFormat, typer.Option("--output", "-o", help="Output format.")]
Port = Annotated[
    str | None, typer.Option("--port", metavar="PORT", help="Name or number of the Service's port that carries gRPC.")
]
Window = Annotated[
    str,
    typer.Option(
        "--window",
        metavar="TIME",
        help="Time between the two looks at each pod, such as 5s or 1m; 0 for a single look.",
    ),
]
ClusterDomain = Annotated[
    str | None,
    typer.Option(
        "--cluster-domain", metavar="DOMAIN", help="DNS domain of the cluster. (default read from a pod's resolv.conf)"
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        help="Log requests to the cluster on standard error; -vv also logs when, and how long they took.",
    ),
]


class RecycleWhat(StrEnum):
    """Whose connections are made anew."""

    NONE = "none"
    CLIENTS = "clients"


AssumeYes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before making changes.")]
Recycle = Annotated[
    RecycleWhat,
    typer.Option("--recycle", help="Restart the clients' workloads, so that open connections move, too."),
]
Timeout = Annotated[
    str,
    typer.Option(
        "--timeout", metavar="TIME", help="How long to wait for pods to become ready, or for connections to close."
    ),
]


def duration(text: str, flag: str) -> float:
    """Read a duration as kubectl's flags take it, `5`, `5s`, `1m30s`, in seconds. Raises UsageError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"{flag} takes a time such as 5s or 1m30s, not {printable(text)!r}")
    return sum(float(number) * _LENGTHS[unit] for number, unit in parts)


def image(text: str, flag: str) -> str:
    """Take the name of a container's image; whether there is one only a node can say. Raises UsageError."""
    if not re.fullmatch(r"[!-~]+", text):
        raise UsageError(f"{flag} takes an image such as registry.example/envoy:v1, not {printable(text)!r}")
    return text


def dns_domain(text: str | None) -> str | None:
    """Take --cluster-domain. Raises UsageError where it is no DNS name."""
    if text is not None and not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", text):
        raise UsageError(
            f"--cluster-domain takes a DNS name such as cluster.local, of letters, digits, - and ., not "
            f"{printable(text)!r}"
        )
    return text


def service_name(text: str) -> str:
    """Take `name` or `svc/name`. Raises UsageError for another kind of object."""
    kind, slash, name = text.rpartition("/")
    if slash and kind.lower() not in _SERVICE_PREFIXES:
        raise UsageError(f"{printable(text)} is not a Service: give NAME or svc/NAME")
    if not name:
        raise UsageError("the Service's name is empty: give NAME or svc/NAME")
    return name
