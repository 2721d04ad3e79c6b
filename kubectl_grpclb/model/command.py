"""Commands to copy: a shell takes each of their words as it is, and they reach the cluster that was asked."""

import shlex
from collections.abc import Sequence

from msgspec import Struct

__all__ = ["NOT_GIVEN", "WITH_PORT", "Aim", "ClusterFlags"]

WITH_PORT = frozenset({"diagnose", "fix", "record", "verify"})
"""The verbs that take --port."""


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
        return tuple(word for flag, value in given if value for word in (flag, value))

    def kubectl(self, *words: str, namespace: str | None, options: Sequence[str] = ()) -> str:
        """Write a command: verb and objects, the namespace where there is one, these flags, the options.

        A shell takes each word as it is, whatever a cluster's names hold.
        """
        where = () if namespace is None else ("-n", namespace)
        return shlex.join(("kubectl", *words, *where, *self.words(), *options))


NOT_GIVEN = ClusterFlags()
"""What it comes to where no such flag was given."""


class Aim(Struct, frozen=True):
    """What commands to copy are about: a Service, and what the user gave to say which."""

    namespace: str
    service: str
    port: str | None = None
    """The port's name or number as the user gave it, None where they did not."""
    flags: ClusterFlags = NOT_GIVEN

    def kubectl(self, *words: str, namespace: str | None = None, options: Sequence[str] = ()) -> str:
        """Write a command of kubectl's own, by default for the Service's namespace."""
        return self.flags.kubectl(*words, namespace=self.namespace if namespace is None else namespace, options=options)

    def grpclb(self, verb: str, *options: str) -> str:
        """Write a command of ours for the Service."""
        port = ("--port", self.port) if self.port is not None and verb in WITH_PORT else ()
        return self.kubectl("grpclb", verb, self.service, options=(*port, *options))
