"""Commands to copy: a shell takes each of their words as it is, and they reach the cluster that was asked."""

import shlex
from collections.abc import Iterable, Sequence

from msgspec import Struct

__all__ = ["NOT_GIVEN", "NO_SOURCE_FLAGS", "READING_VERBS", "Aim", "ClusterFlags", "SourceFlags"]

READING_VERBS = frozenset({"diagnose", "fix", "record", "verify"})
"""The verbs that read the pods, so that they take --port, --cluster-domain and the flags for sources."""


class ClusterFlags(Struct, frozen=True, omit_defaults=True):
    """The flags that say which cluster, as the user gave them; kubectl takes an empty one for none.

    Whom to impersonate is none of them: without --as a command has the user's own rights and no others.
    """

    context: str | None = None
    cluster: str | None = None
    kubeconfig: str | None = None

    def words(self) -> tuple[str, ...]:
        """Give them as they stand in a command, nothing where there are none."""
        given = (("--context", self.context), ("--cluster", self.cluster), ("--kubeconfig", self.kubeconfig))
        return _words((flag, value or None) for flag, value in given)

    def kubectl(self, *words: str, namespace: str | None, options: Sequence[str] = ()) -> str:
        """Write a command: verb and objects, the namespace where there is one, these flags, the options.

        A shell takes each word as it is, whatever a cluster's names hold.
        """
        where = () if namespace is None else ("-n", namespace)
        return shlex.join(("kubectl", *words, *where, *self.words(), *options))


NOT_GIVEN = ClusterFlags()
"""What it comes to where no such flag was given."""


class SourceFlags(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The flags that say where a Service's figures are, as the user gave them.

    Which of the sources are asked is none of them: what a command is printed for may need others.
    """

    metrics_port: str | None = None
    metrics_path: str | None = None
    prometheus: str | None = None
    """Without its user's name and password, which no command shows."""
    prometheus_range: str | None = None
    channelz_port: int | None = None
    client_channelz_port: int | None = None
    tls: bool = False
    tls_ca: str | None = None
    tls_server_name: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """The sources that they are about: who gives one of these flags wants that source to answer."""
        metrics = self.metrics_port is not None or self.metrics_path is not None
        channelz = self.tls or any((self.channelz_port, self.tls_ca, self.tls_server_name))
        return frozenset(name for name, given in (("metrics", metrics), ("channelz", channelz)) if given)

    def words(self) -> tuple[str, ...]:
        """Give them as they stand in a command, nothing where there are none."""
        given = (
            ("--metrics-port", self.metrics_port),
            ("--metrics-path", self.metrics_path),
            ("--prometheus", self.prometheus),
            ("--prometheus-range", self.prometheus_range),
            ("--channelz-port", self.channelz_port),
            ("--client-channelz-port", self.client_channelz_port),
            ("--tls-ca", self.tls_ca),
            ("--tls-server-name", self.tls_server_name),
        )
        return (*(("--tls",) if self.tls else ()), *_words(given))


NO_SOURCE_FLAGS = SourceFlags()
"""What it comes to where no such flag was given."""


class Aim(Struct, frozen=True):
    """What commands to copy are about: a Service, and what the user gave to say which and how to read it."""

    namespace: str
    service: str
    port: str | None = None
    """The port's name or number as the user gave it, None where they did not."""
    flags: ClusterFlags = NOT_GIVEN
    cluster_domain: str | None = None
    """The cluster's DNS domain, None where the user did not give it."""
    sources: SourceFlags = NO_SOURCE_FLAGS

    def kubectl(self, *words: str, namespace: str | None = None, options: Sequence[str] = ()) -> str:
        """Write a command of kubectl's own, by default for the Service's namespace."""
        return self.flags.kubectl(*words, namespace=self.namespace if namespace is None else namespace, options=options)

    def grpclb(self, verb: str, *options: str) -> str:
        """Write a command of ours for the Service."""
        reading = self._reading() if verb in READING_VERBS else ()
        return self.kubectl("grpclb", verb, self.service, options=(*reading, *options))

    def _reading(self) -> tuple[str, ...]:
        return (*_words((("--port", self.port), ("--cluster-domain", self.cluster_domain))), *self.sources.words())


def _words(given: Iterable[tuple[str, str | int | None]]) -> tuple[str, ...]:
    """Give flags with their values, without those that have none."""
    return tuple(word for flag, value in given if value is not None for word in (flag, str(value)))
