"""One file a verb: flags in, a flow called, exit code out.

A verb's module is imported when that verb runs, and imports only what its flags need: flows, and with them the
heavy libraries, are imported inside the verb.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["VERBS"]

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "diagnose": "Find out whether load sticks to a few pods of a Service, and why.",
        "fix": "Fix a Service whose load sticks.",
        "verify": "Check whether a fix worked.",
        "rollback": "Undo a fix.",
        "record": "Save what diagnose reads to a file.",
        "explain": "Explain a finding.",
        "rbac": "Print the minimal RBAC roles, for kubectl apply -f -.",
        "demo": "Show the problem and its fixes on this machine.",
        "version": "Print the version.",
        "completion": "Set up shell completion.",
    }
)
"""Every verb, in the order of the help, with the first sentence of its own help: the list imports none of them.

A verb is a function of that name in the module of that name.
"""
