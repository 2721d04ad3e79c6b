"""The flags that say where figures may come from."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from kubectl_grpclb.commands.sources import Sources
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
    return _with([*signature(_gathered).parameters.values()], command)


def with_reading_sources(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those of them that add nothing to the cluster."""
    via, *others = signature(_gathered).parameters.values()
    reading = [flag for flag in others if flag.name not in _ADDING]
    return _with([via.replace(annotation=ReadingViaFlag), *reading], command)


def _with(flags: Sequence[Parameter], command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401  # each is the flag of that name, as typer read it
        command(chosen=_gathered(**{flag.name: given.pop(flag.name) for flag in flags}), **given)

    own = signature(command).parameters
    places = [flags if name == "chosen" else [parameter] for name, parameter in own.items()]
    parameters = [parameter for place in places for parameter in place]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what inspect, and so typer, goes by
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


_ADDING = frozenset({"debug", "debug_image", "node_namespace"})
"""The parameters of `_gathered` that are about what is added to the cluster for a look."""


def _gathered(
    via: ViaFlag = None,
    metrics_port: MetricsPort = None,
    metrics_path: MetricsPath = None,
    prometheus: Prometheus = None,
    prometheus_range: PrometheusRange = "5m",
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
