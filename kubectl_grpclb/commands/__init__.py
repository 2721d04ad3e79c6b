"""One file a verb: flags in, a flow called, exit code out.

A verb's module is imported when that verb runs, and imports only what its flags need: flows, and with them the
heavy libraries, are imported inside the verb.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["VERBS"]

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "diagnose": "Tell whether load sticks to a few pods of a Service, and why.",
        "fix": "Cure a Service whose load sticks.",
        "verify": "Tell whether a fix cured.",
        "rollback": "Take a fix back.",
        "record": "Keep what diagnose reads in a file.",
        "explain": "Explain a finding.",
        "rbac": "Print the least roles for kubectl apply -f -.",
        "demo": "Show the problem and its cures on this machine.",
        "version": "Print the version.",
        "completion": "Complete words in a shell.",
    }
)
"""Every verb, in the order of the help, with the first sentence of its own help: the list imports none of them.

A verb is a function of that name in the module of that name.
"""
