"""plugin.yaml from the archives that are there: `python -m release.manifest`."""

import argparse
import sys
from collections.abc import Sequence

import msgspec

from kubectl_grpclb.model.yaml_text import yaml_text
from release.contents import Archive, read_archive
from release.krew_manifest import API_VERSION, Manifest, Metadata, PlatformSpec, Selector, Spec
from release.krew_rules import problems
from release.krew_submission import Submission
from release.platforms import RELEASED, Platform
from release.project import DIST, PROGRAM, ROOT, ReleaseError, repository, version

__all__ = ["PLUGIN", "main", "manifest_for", "render", "submission"]

PLUGIN = "grpclb"
"""The plugin's name; in krew's index its file is `grpclb.yaml`."""

_SHORT = "Find and cure gRPC load that sticks to a few pods"

_DESCRIPTION = """\
A gRPC channel keeps one HTTP/2 connection and sends every call over it. A
Service places connections, not calls, so all of a client's load lands on the
pod that got its connection, however many pods are added.

This plugin looks at a Service and says whether its load is uneven, which pods
get nothing, which clients cause it, and why. It goes by calls where the
servers' channelz or Prometheus metrics count them, and by their sockets
elsewhere; what it could not read it names. It then plans a cure (most often
Envoy before the pods), shows it, carries it out when told to, proves that it
works, and takes it back.
"""

_CAVEATS = """\
* To look into pods, your user needs get and create on pods/exec or
  pods/portforward, or get on pods/proxy; what is refused is said, and the rest
  is still read. This prints the least roles: kubectl grpclb rbac
* A fix with Envoy needs nodes that can pull Envoy's image, or a mirror of it.
* The last act of the demo needs Envoy on PATH; nothing else does.
* krew sets up no shell completion; kubectl grpclb completion --install does.
* On Linux: glibc 2.28 or newer (not musl, as in Alpine).
"""


def manifest_for(archives: Sequence[Archive], of_version: str, at: str) -> Manifest:
    """Make the manifest; `of_version` is without `v`, `at` is `owner/name` on GitHub. Other files are left out."""
    found = {each.name: each for each in archives}
    named = [(platform, found.get(platform.archive_name(of_version))) for platform in RELEASED]
    tag, home = f"v{of_version}", f"https://github.com/{at}"
    return Manifest(
        api_version=API_VERSION,
        kind="Plugin",
        metadata=Metadata(PLUGIN),
        spec=Spec(
            version=tag,
            homepage=home,
            short_description=_SHORT,
            description=_DESCRIPTION,
            caveats=_CAVEATS,
            platforms=tuple(
                _platform(platform, archive, f"{home}/releases/download/{tag}")
                for platform, archive in named
                if archive is not None
            ),
        ),
    )


def _platform(platform: Platform, archive: Archive, below: str) -> PlatformSpec:
    return PlatformSpec(
        selector=Selector(match_labels={"os": platform.os, "arch": platform.arch}),
        uri=f"{below}/{archive.name}",
        sha256=archive.sha256,
        bin=f"{PROGRAM}/{platform.program}",
    )


def render(manifest: Manifest) -> str:
    """Write it as YAML."""
    return yaml_text(msgspec.to_builtins(manifest))


def submission(text: str, archives: Sequence[Archive]) -> Submission:
    """Take a manifest's text as krew's index would get it.

    Raises:
        msgspec.ValidationError: it is no manifest.

    """
    manifest = msgspec.yaml.decode(text, type=Manifest)
    return Submission(f"{PLUGIN}.yaml", manifest, tuple(archives))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write dist/plugin.yaml, or say what is wrong with it and write nothing.

    Raises:
        SystemExit: it breaks a rule, or an archive that was asked for is missing.

    """
    parser = argparse.ArgumentParser(prog="python -m release.manifest", description=__doc__)
    parser.add_argument("--repository", default=repository(), help="owner/name on GitHub (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="fail where an archive of a released platform is missing")
    given = parser.parse_args(arguments)
    try:
        _write(given.repository, every_one=given.all)
    except ReleaseError as error:
        sys.exit(f"error: {error}")


def _write(at: str, *, every_one: bool) -> None:
    wanted = [DIST / platform.archive_name(version()) for platform in RELEASED]
    missing = [path.name for path in wanted if not path.is_file()]
    if len(missing) == len(wanted) or (every_one and missing):
        raise ReleaseError(f"dist/ has no {', '.join(missing)}: make dist makes this machine's")
    archives = [read_archive(path) for path in wanted if path.is_file()]
    text = render(manifest_for(archives, version(), at))
    wrong = problems(submission(text, archives))
    if wrong:
        told = "\n".join(f"  {each.rule}: {each.message}" for each in wrong)
        raise ReleaseError(f"krew would not take the plugin:\n{told}")
    (DIST / "plugin.yaml").write_text(text, encoding="utf-8")
    print(f"{(DIST / 'plugin.yaml').relative_to(ROOT)}: {', '.join(each.name for each in archives)}")


if __name__ == "__main__":
    main()
