"""The flags that say where figures may come from."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kubectl_grpclb.commands.flag_groups import flags_of, with_flags
from kubectl_grpclb.commands.sources import DEFAULT_RANGE, Sources
from kubectl_grpclb.model.look import DEBUG_IMAGE

__all__ = ["with_reading_sources", "with_sources"]

ViaFlag = Annotated[
    list[str] | None,
    typer.Option(
        "--via",
        metavar="SOURCE,...",
        help="auto, metrics, channelz, exec, prometheus, debug or node; auto uses the cheapest that answer and adds "
        "nothing to the cluster; debug and node add to it. (default auto)",
    ),
]
ReadingViaFlag = Annotated[
    list[str] | None,
    typer.Option(
        "--via",
        metavar="SOURCE,...",
        help="auto, metrics, channelz, exec or prometheus; auto uses the cheapest that answer. (default auto)",
    ),
]
MetricsPort = Annotated[
    str | None,
    typer.Option("--metrics-port", metavar="PORT", help="Name or number of the pods' metrics port."),
]
MetricsPath = Annotated[str | None, typer.Option("--metrics-path", metavar="PATH", help="Path of the pods' metrics.")]
Prometheus = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="Also ask this Prometheus: a URL, or svc/NAMESPACE/NAME:PORT in the cluster.",
    ),
]
PrometheusRange = Annotated[
    str, typer.Option("--prometheus-range", metavar="TIME", help="How far back to ask Prometheus.")
]
ChannelzPort = Annotated[
    int | None,
    typer.Option(
        "--channelz-port",
        metavar="PORT",
        min=1,
        max=65535,
        help="The pods' port for channelz. (default the diagnosed port)",
    ),
]
ClientChannelzPort = Annotated[
    int | None,
    typer.Option(
        "--client-channelz-port",
        metavar="PORT",
        min=1,
        max=65535,
        help="The clients' port for channelz. (default the one they declare with channelz in its name)",
    ),
]
Tls = Annotated[bool, typer.Option("--tls", help="Use TLS for channelz.")]
TlsCa = Annotated[
    Path | None,
    typer.Option("--tls-ca", metavar="FILE", help="Certificate authorities to trust for channelz."),
]
TlsServerName = Annotated[
    str | None,
    typer.Option(
        "--tls-server-name",
        metavar="NAME",
        help="Server name to validate channelz's certificate against; not of the API server.",
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Add an ephemeral container to pods without a shell, to look from; it stays until the pod is gone.",
    ),
]
DebugImage = Annotated[
    str,
    typer.Option("--debug-image", metavar="IMAGE", help="Image with a shell, for --debug and --via node."),
]
NodeNamespace = Annotated[
    str | None,
    typer.Option(
        "--node-namespace", metavar="NAMESPACE", help="Namespace for the pods of --via node. (default the Service's)"
    ),
]


def with_sources(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all of these flags in the place of its parameter `chosen`, which gets the Sources of them."""
    return with_flags(command, "chosen", flags_of(_gathered), _gathered)


def with_reading_sources(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those of them that add nothing to the cluster."""
    via, *others = flags_of(_gathered)
    reading = [flag for flag in others if flag.name not in _ADDING]
    return with_flags(command, "chosen", [via.replace(annotation=ReadingViaFlag), *reading], _gathered)


_ADDING = frozenset({"debug", "debug_image", "node_namespace"})
"""The parameters of `_gathered` that are about what is added to the cluster for a look."""


def _gathered(
    via: ViaFlag = None,
    metrics_port: MetricsPort = None,
    metrics_path: MetricsPath = None,
    prometheus: Prometheus = None,
    prometheus_range: PrometheusRange = DEFAULT_RANGE,
    channelz_port: ChannelzPort = None,
    client_channelz_port: ClientChannelzPort = None,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_server_name: TlsServerName = None,
    debug: Debug = False,
    debug_image: DebugImage = DEBUG_IMAGE,
    node_namespace: NodeNamespace = None,
) -> Sources:
    return Sources(
        via=tuple(via or ()),
        metrics_port=metrics_port,
        metrics_path=metrics_path,
        prometheus=prometheus,
        prometheus_range=prometheus_range,
        channelz_port=channelz_port,
        client_channelz_port=client_channelz_port,
        tls=tls,
        tls_ca=tls_ca,
        tls_server_name=tls_server_name,
        debug=debug,
        debug_image=debug_image,
        node_namespace=node_namespace,
    )
