"""`record SERVICE`: keep what was read, without a report."""

from pathlib import Path
from typing import Annotated

import typer

from kubectl_grpclb.commands import options, sources
from kubectl_grpclb.model.look import DEBUG_IMAGE

__all__ = ["record"]


def record(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="NAME or svc/NAME.")],
    namespace: options.Namespace = None,
    context: options.Context = None,
    cluster: options.Cluster = None,
    kubeconfig: options.Kubeconfig = None,
    as_user: options.As = None,
    as_groups: options.AsGroups = None,
    request_timeout: options.RequestTimeout = None,
    port: options.Port = None,
    window: options.Window = "5s",
    file: Annotated[
        Path,
        typer.Option("--filename", "-f", metavar="FILE", help="Where to write it; - for standard output."),
    ] = Path("-"),
    cluster_domain: options.ClusterDomain = None,
    via: sources.ViaFlag = None,
    metrics_port: sources.MetricsPort = None,
    metrics_path: sources.MetricsPath = None,
    prometheus: sources.Prometheus = None,
    prometheus_range: sources.PrometheusRange = "5m",
    channelz_port: sources.ChannelzPort = None,
    client_channelz_port: sources.ClientChannelzPort = None,
    tls: sources.Tls = False,
    tls_ca: sources.TlsCa = None,
    tls_server_name: sources.TlsServerName = None,
    debug: sources.Debug = False,
    debug_image: sources.DebugImage = DEBUG_IMAGE,
    node_namespace: sources.NodeNamespace = None,
    verbose: options.Verbose = False,
) -> None:
    """Keep what diagnose reads in a file.

    The file, a snapshot, is for `diagnose --from` or a bug report.

    A snapshot holds names, addresses, labels and connections. It never holds Secrets, environment
    values, arguments, tokens, or annotations other than those that name a mesh or a deployment tool.
    """
    from kubectl_grpclb.commands import session, show

    connection = session.Connection(
        kubeconfig, context, cluster, namespace, as_user, tuple(as_groups or ()), request_timeout
    )
    chosen = sources.sources_of(
        via,
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
    question = session.Question((service,), port, window, cluster_domain, chosen)
    show.write_snapshot(file, session.record(connection, question, verbose=verbose))
