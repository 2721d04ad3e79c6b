"""How clients balance without a proxy, from the table that `fix --strategy client` prints."""

from collections.abc import Iterator, Sequence

from kubectl_grpclb.model.bundle import bundle_of
from kubectl_grpclb.remedies.languages import LANGUAGES, Language

__all__ = ["languages"]

SYNTAX = {
    "Go (grpc-go)": "go",
    "Java and Kotlin (grpc-java)": "java",
    "Python (grpcio)": "python",
    "Node (@grpc/grpc-js)": "js",
    ".NET (Grpc.Net.Client)": "csharp",
    "Rust (tonic)": "rust",
    "C++ (grpc++)": "cpp",
    "Ruby (grpc)": "ruby",
}
"""How the examples are coloured."""

HOST, PORT = f"{bundle_of('greeter').headless}.shop.svc.cluster.local", "50051"

INTRODUCTION = f"""# Balancing in the clients, by language

Written by `make docs` from the table that `kubectl grpclb fix SERVICE --strategy client` prints for a Service of yours.

Where clients can be changed, no proxy is needed. Three things make a channel spread its calls over all pods:

1. A name that has the address of every pod: a headless Service (`clusterIP: None`) beside the one that is there.
   `kubectl grpclb fix SERVICE --strategy headless` makes it. It maps no ports: dial the pods' own.
2. The policy `round_robin` in the client. The default, `pick_first`, uses one address and stays there
   ([GLB103](../kubectl_grpclb/rules/glb103.md)).
3. An end to connections, set on the servers. A channel looks for pods that came later only when a connection closes,
   and servers close none unless they are told to ([GLB104](../kubectl_grpclb/rules/glb104.md)). Calls in flight get
   a grace.

The examples dial `{HOST}`, port {PORT}, the Service that
`--strategy headless` makes for the Service `greeter` in the namespace `shop`, and speak plain text; with TLS only the
credentials differ. What is in a mesh ([meshes](recipes/meshes.md)) needs none of this.

"""


def languages() -> str:
    """Give the page."""
    return INTRODUCTION + "\n".join("\n".join(_section(each)) + "\n" for each in LANGUAGES)


def _section(language: Language) -> Iterator[str]:
    yield f"## {language.name}"
    yield from _side("The client", language.client, language.client_notes, SYNTAX[language.name])
    yield from _side("The server", language.server, language.server_notes, SYNTAX[language.name])


def _side(title: str, code: Sequence[str], notes: Sequence[str], syntax: str) -> Iterator[str]:
    yield f"\n**{title}**\n"
    if code:
        yield from (f"```{syntax}", *map(_filled, code), "```")
    if code and notes:
        yield ""
    yield from map(_filled, notes)


def _filled(line: str) -> str:
    return line.replace("TARGET", f"dns:///{HOST}:{PORT}").replace("HOST", HOST).replace("PORT", PORT)
