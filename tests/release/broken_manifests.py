"""Ways in which a manifest can be wrong, each as somebody would write it.

Each is the rules that it breaks (the one that it is about, and those that it cannot but break too) and the change.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["BROKEN_MANIFESTS"]

Manifest = dict[str, Any]
Change = Callable[[Manifest], object]
"""Changes a manifest in place."""


class Broken(NamedTuple):
    """A manifest that is wrong in one way."""

    rule: str
    """What it breaks."""
    how: str
    change: Change
    also: str = ""
    """The rules that it cannot but break too."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.how}"

    @property
    def rules(self) -> set[str]:
        return {self.rule, *self.also.split()}


LINUX, LINUX_ARM, WINDOWS = 0, 1, 4
SHA = "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e"
RELEASES = "https://github.com/grpclb/kubectl-grpclb/releases/download"
ARCHIVE = "kubectl-grpclb_0.1.0_linux_amd64.tar.gz"
PROGRAM = {"from": "kubectl-grpclb/kubectl-grpclb", "to": "kubectl-grpclb"}
NOTICES = {"from": "kubectl-grpclb/*.txt", "to": "."}


def named(name: str) -> Change:
    return lambda manifest: manifest["metadata"].update(name=name)


def spec(**fields: object) -> Change:
    return lambda manifest: manifest["spec"].update(fields)


def no_spec(field: str) -> Change:
    return lambda manifest: manifest["spec"].pop(field)


def platform(index: int, **fields: object) -> Change:
    return lambda manifest: manifest["spec"]["platforms"][index].update(fields)


def no_platform(index: int, field: str) -> Change:
    return lambda manifest: manifest["spec"]["platforms"][index].pop(field)


def labels(index: int, **wanted: str) -> Change:
    return platform(index, selector={"matchLabels": wanted})


def neither(index: int, *systems: str) -> Change:
    return platform(index, selector={"matchExpressions": [{"key": "os", "operator": "NotIn", "values": systems}]})


def shouting(manifest: Manifest) -> None:
    spec_of_linux = manifest["spec"]["platforms"][LINUX]
    spec_of_linux["sha256"] = spec_of_linux["sha256"].upper()


BROKEN_MANIFESTS = [
    Broken(
        "api-version",
        "older",
        lambda manifest: manifest.update(apiVersion="krew.googlecontainertools.github.com/v1alpha1"),
    ),
    Broken("kind", "lowercase", lambda manifest: manifest.update(kind="plugin")),
    Broken("safe-name", "a dot", named("grpc.lb"), also="kebab-case file-name"),
    Broken("safe-name", "a device of Windows", named("aux"), also="file-name"),
    Broken("file-name", "another's", named("grpc-lb")),
    Broken("kebab-case", "camel case", named("grpcLb"), also="file-name"),
    Broken("kebab-case", "an underscore", named("grpc_lb"), also="file-name"),
    Broken("no-kube-prefix", "kube-", named("kube-grpclb"), also="file-name"),
    Broken("version", "no v", spec(version="0.1.0"), also="uri-of-version"),
    Broken("version", "two numbers", spec(version="v0.1"), also="uri-of-version"),
    Broken("version", "as Python has it", spec(version="v0.1.0rc1"), also="uri-of-version"),
    Broken("short-description", "empty", spec(shortDescription="")),
    Broken("short-description-is-one-line", "two lines", spec(shortDescription="Find gRPC load\nthat sticks")),
    Broken(
        "short-description-is-short", "51", spec(shortDescription="Find and cure gRPC load that sticks to too few pods")
    ),
    Broken("description", "missing", no_spec("description")),
    Broken("description-has-no-usage", "a command", spec(description="Tells why.\n\n  kubectl grpclb diagnose\n")),
    Broken("description-has-no-usage", "a heading", spec(description="Tells why.\n\nUsage: grpclb SERVICE\n")),
    Broken("description-has-no-usage", "a flag", spec(description="Tells why; with --debug also in distroless pods.")),
    Broken("caveats", "missing", no_spec("caveats")),
    Broken("homepage", "missing", no_spec("homepage")),
    Broken("platforms", "none", spec(platforms=[])),
    Broken("uri", "missing", no_platform(LINUX, "uri"), also="archive-is-there uri-of-version"),
    Broken("uri", ".tar.xz", platform(LINUX, uri=f"{RELEASES}/v0.1.0/grpclb.tar.xz"), also="archive-is-there"),
    Broken("uri-of-version", "before", platform(LINUX, uri=f"{RELEASES}/v0.0.9/{ARCHIVE}")),
    Broken("sha256", "uppercase", shouting),
    Broken("sha256", "cut short", platform(LINUX, sha256=SHA[:63]), also="archive-checksum"),
    Broken("bin", "missing", no_platform(LINUX, "bin")),
    Broken("bin-for-windows", "no .exe", platform(WINDOWS, bin="kubectl-grpclb/kubectl-grpclb"), also="bin-is-there"),
    Broken("bin-is-there", "the folder", platform(LINUX, bin="kubectl-grpclb")),
    Broken("files", "none", platform(LINUX, files=[]), also="bin-is-there licence notices"),
    Broken("files", "no to", platform(LINUX, files=[{"from": "kubectl-grpclb"}])),
    Broken("files-to-is-clean", "./", platform(LINUX, files=[{"from": "*", "to": "./"}])),
    Broken("files-to-is-clean", "out", platform(LINUX, files=[{"from": "*", "to": "../bin"}]), also="bin-is-there"),
    Broken("licence", "not taken out", platform(LINUX, files=[PROGRAM, NOTICES], bin="kubectl-grpclb")),
    Broken("selector", "missing", no_platform(LINUX, "selector")),
    Broken("selector", "empty", labels(LINUX)),
    Broken("selector-keys", "a C library", labels(LINUX, os="linux", arch="amd64", libc="glibc")),
    Broken("selector-is-supported", "a new processor", labels(LINUX, os="linux", arch="riscv64")),
    Broken("selectors-do-not-overlap", "twice the same", labels(LINUX_ARM, os="linux", arch="amd64")),
    Broken("selectors-do-not-overlap", "any processor", labels(LINUX_ARM, os="linux")),
    Broken("selectors-do-not-overlap", "by expressions", neither(LINUX_ARM, "darwin", "windows")),
    Broken("archive-is-there", "another name", platform(LINUX, uri=f"{RELEASES}/v0.1.0/kubectl-grpclb.tar.gz")),
    Broken("archive-checksum", "another's", platform(LINUX, sha256=SHA)),
]
