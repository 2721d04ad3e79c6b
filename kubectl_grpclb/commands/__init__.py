"""One file a verb: flags in, a flow called, exit code out.

Only what the flags need is imported here: flows, and with them the heavy libraries, are imported inside
the verb that runs them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kubectl_grpclb.commands.demo import demo
from kubectl_grpclb.commands.diagnose import diagnose
from kubectl_grpclb.commands.explain import explain
from kubectl_grpclb.commands.fix import fix
from kubectl_grpclb.commands.record import record
from kubectl_grpclb.commands.rollback import rollback
from kubectl_grpclb.commands.verify import verify
from kubectl_grpclb.commands.version import version

__all__ = ["COMMANDS"]

COMMANDS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {
        "diagnose": diagnose,
        "fix": fix,
        "verify": verify,
        "rollback": rollback,
        "record": record,
        "explain": explain,
        "demo": demo,
        "version": version,
    }
)
"""Every verb, in the order of the help."""
