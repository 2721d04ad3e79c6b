"""What the flags that say where figures may come from come to."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from kubectl_grpclb.commands.options import duration, image
from kubectl_grpclb.model.command import SourceFlags
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.look import DEBUG_IMAGE
from kubectl_grpclb.model.text import printable

if TYPE_CHECKING:
    from kubectl_grpclb.cluster.kube import ChannelzTls
    from kubectl_grpclb.probes.ask import Ask, Via

__all__ = ["ADDING", "DEFAULT_RANGE", "NOT_CHOSEN", "Sources", "ViaSource"]

DEFAULT_RANGE = "5m"
"""How far back Prometheus is asked where the user does not say."""

_LONGEST_RANGE = 30 * 24 * 3600.0


class ViaSource(StrEnum):
    """What `--via` takes."""

    AUTO = "auto"
    METRICS = "metrics"
    CHANNELZ = "channelz"
    EXEC = "exec"
    DEBUG = "debug"
    NODE = "node"
    PROMETHEUS = "prometheus"


ADDING = (ViaSource.DEBUG, ViaSource.NODE)
"""Those that add something to the cluster for a look."""


class Sources(Struct, frozen=True):
    """The flags' values as they were given."""

    via: tuple[str, ...] = ()
    metrics_port: str | None = None
    metrics_path: str | None = None
    prometheus: str | None = None
    prometheus_range: str = DEFAULT_RANGE
    channelz_port: int | None = None
    client_channelz_port: int | None = None
    tls: bool = False
    tls_ca: Path | None = None
    tls_server_name: str | None = None
    debug: bool = False
    debug_image: str = DEBUG_IMAGE
    node_namespace: str | None = None

    @property
    def changes(self) -> bool:
        """Whether they allow that something is added to the cluster."""
        return self.debug or bool(set(ADDING) & set(_named(self.via)))

    @property
    def reading(self) -> "Sources":
        """What of them changes nothing: that is what `fix` takes."""
        via = tuple(name for name in _named(self.via) if name not in ADDING)
        return replace(self, via=via, debug=False, debug_image=DEBUG_IMAGE, node_namespace=None)

    def asked(self, ask: "Ask") -> "Ask":
        """Put them into what is asked for. Raises UsageError."""
        from kubectl_grpclb.probes.prometheus import prometheus_server

        via, server = _via(self), None if self.prometheus is None else prometheus_server(self.prometheus)
        tls = self.tls or self.tls_ca is not None
        if self.tls_server_name and not tls:  # kubectl has a flag of that name, which means something else
            raise UsageError(
                "--tls-server-name is the name in channelz's certificate and needs --tls or --tls-ca; the API server's "
                "is tls-server-name in the kubeconfig"
            )
        return replace(
            ask,
            via=via,
            metrics_port=_port(self.metrics_port),
            metrics_path=_path(self.metrics_path),
            prometheus=server,
            prometheus_range=_range(self.prometheus_range),
            channelz_port=self.channelz_port,
            client_channelz_port=self.client_channelz_port,
            tls=tls,
            debug="debug" in via,
            debug_image=image(self.debug_image, "--debug-image"),
            node_namespace=self.node_namespace,
            source_flags=self._flags(server),
        )

    def _flags(self, prometheus: str | None) -> SourceFlags:
        """Give those that say where figures are, for the commands that are shown."""
        return SourceFlags(
            metrics_port=self.metrics_port,
            metrics_path=self.metrics_path,
            prometheus=prometheus,
            prometheus_range=None if self.prometheus_range == DEFAULT_RANGE else self.prometheus_range,
            channelz_port=self.channelz_port,
            client_channelz_port=self.client_channelz_port,
            tls=self.tls,
            tls_ca=None if self.tls_ca is None else str(self.tls_ca),
            tls_server_name=self.tls_server_name,
        )

    def tls_options(self) -> "ChannelzTls":
        """Read the authorities. Raises UsageError."""
        from kubectl_grpclb.cluster.kube import ChannelzTls

        if self.tls_ca is None:
            return ChannelzTls(None, self.tls_server_name)
        try:
            return ChannelzTls(self.tls_ca.read_bytes(), self.tls_server_name)
        except OSError as error:
            raise UsageError(f"--tls-ca {printable(str(self.tls_ca))} cannot be read: {error.strerror}") from error


NOT_CHOSEN = Sources()
"""What it comes to where no such flag was given."""


def _named(via: tuple[str, ...]) -> list[str]:
    return [name.strip() for each in via for name in each.split(",") if name.strip()]


def _via(sources: Sources) -> "tuple[Via, ...]":
    named = _named(sources.via)
    known = [each.value for each in ViaSource]
    nothing = [each for each in sources.via if not _named((each,))]
    for name in [*nothing, *named]:
        if name not in known:
            raise UsageError(f"--via takes {', '.join(known)}, not {printable(name)!r}")
    if "prometheus" in named and sources.prometheus is None:
        raise UsageError("--via prometheus needs --prometheus URL: where to ask")
    if sources.prometheus is not None and "prometheus" not in named:
        named += ["prometheus"] if named else ["auto", "prometheus"]
    if sources.debug and "debug" not in named:
        named += ["debug"] if named else ["auto", "debug"]
    return cast("tuple[Via, ...]", tuple(dict.fromkeys(named)) or ("auto",))


def _port(given: str | None) -> int | str | None:
    """Take a number of a port or a name. Raises UsageError."""
    if given is None or not (given.isascii() and given.isdigit()):  # ² is a digit, too, and no number
        return given
    if not 0 < int(given) < 1 << 16:
        raise UsageError(f"--metrics-port must be a port's name or a number up to 65535, not {printable(given)}")
    return int(given)


def _path(given: str | None) -> str | None:
    if given is not None and not re.fullmatch(r"/[!-~]*", given):
        raise UsageError(f"--metrics-path must begin with / and contain no spaces, not {printable(given)!r}")
    if given is not None and set(given) & {"?", "#"}:
        raise UsageError("--metrics-path is a path, without ? and #: it is shown in reports, where no secret should be")
    return given


def _range(given: str) -> float:
    seconds = duration(given, "--prometheus-range")
    if not 0 < seconds <= _LONGEST_RANGE:
        raise UsageError("--prometheus-range must be more than 0 and at most 30 days (720h)")
    return seconds
