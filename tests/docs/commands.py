"""Every command that the documentation shows, and how each of them is run by a test.

A command stands in a block of the language `console`, after `$ `; in YAML, at the beginning of a line; in the page of a
finding, at the beginning of a line of a block. Three tables say how it is run: HERE, ELSEWHERE, and the rest on a
cluster, by `tests/e2e/test_documented_commands.py`.
"""

import pathlib
import re
import shlex
from collections.abc import Iterator, Mapping

from msgspec import Struct

ROOT = pathlib.Path(__file__).parent.parent.parent
WRITTEN = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FINDINGS = sorted((ROOT / "kubectl_grpclb" / "rules").glob("*.md"))
PROGRAMS = (
    "kubectl",
    "make",
    "jq",
    "curl",
    "grep",
    "docker",
    "kind",
    "pip",
    "pipx",
    "skopeo",
    "export",
    "python",
    "tar",
)
"""With which a line begins that is a command."""

ELSEWHERE: Mapping[str, str] = {
    "docker build -t greeter:1 docs/examples": "needs Docker; tests/docs/test_examples.py runs its program",
    "kind load docker-image greeter:1": "needs kind and Docker",
    "kubectl krew install grpclb": "needs krew's public index; tests/e2e/test_krew.py installs by krew from a file",
    "kubectl krew upgrade grpclb": "needs krew's public index",
    "kubectl grpclb completion --install": "tests/e2e/test_completion.py runs it, into a directory of its own",
    "pipx install .": "tests/e2e/test_pipx.py installs the checkout with pipx itself",
    "make test": "runs these very tests",
    "make check": "runs these very tests, and what .ci/run runs beside them",
    "make e2e": ".ci/run runs it",
    "make bench": "takes an hour; its figures are in docs/performance.md",
    "make site": ".ci/run runs it",
    "make docs": "tests/docs/test_docs.py compares each file with what it would write",
    "skopeo copy docker://docker.io/envoyproxy/envoy:distroless-v1.40.0 "
    "docker://registry.example/envoy:distroless-v1.40.0": "needs two registries",
    "skopeo copy docker://docker.io/library/busybox:1.37.0 docker://registry.example/busybox:1.37.0": "needs two "
    "registries",
    "kubectl port-forward -n shop POD 19000": "POD is a proxy of the reader's, and it stays until Ctrl-C",
    "curl -s '127.0.0.1:19000/clusters?format=json'": "asks what the line before it forwards",
}
"""What no test can run, and why."""

HERE: tuple[str, ...] = (
    "make demo",
    'export PATH="$PWD/.venv/bin:$PATH"',
    "kubectl grpclb version",
    "kubectl grpclb --help",
    "kubectl grpclb explain GLB101",
    "kubectl-grpclb diagnose --from docs/examples/sticky.json",
    "kubectl-grpclb diagnose --from docs/examples/sticky.json -o wide",
    "kubectl-grpclb fix --from docs/examples/sticky.json > fix.yaml",
    "kubectl-grpclb diagnose --from docs/examples/fixed.json",
    "kubectl grpclb diagnose --from docs/examples/sticky.json -o json | jq -r .verdict",
    "kubectl grpclb diagnose --from docs/examples/sticky.json -o json | jq -c '.pods[] | {name, share}'",
)
"""What needs no cluster: run by tests/docs/test_documented_commands.py."""


class Command(Struct, frozen=True):
    """One command, and what is shown below it."""

    page: str
    """From the project's root."""
    text: str
    shown: str = ""


class Block(Struct, frozen=True):
    """A fenced block."""

    page: str
    language: str
    lines: tuple[str, ...]


def blocks() -> list[Block]:
    """Give every fenced block of the written pages."""
    return [block for page in WRITTEN for block in _blocks(page)]


def commands() -> list[Command]:
    """Give every command, page by page, in the order in which a reader meets them."""
    return [
        *(command for block in blocks() for command in _of_block(block)),
        *(Command(str(page.relative_to(ROOT)), text) for page in FINDINGS for text in _of_finding(page)),
    ]


def on_a_cluster() -> list[Command]:
    """Give those that a cluster runs."""
    return [command for command in commands() if command.text not in HERE and command.text not in ELSEWHERE]


def landmarks(text: str) -> set[str]:
    """Give what is the same each time a command is run: verdicts, headings, codes, and the steps of a fix.

    Figures, names of pods and the words between them differ from run to run.
    """
    words = set(re.findall(r"\b(?:[A-Z]{5,}|GLB\d{3})\b", text))
    steps = re.findall(r"^ *\d+\.\ds  (?!waiting)(.+)$", text, re.MULTILINE)
    return words | {re.sub(r"\d+", "N", step) for step in steps}


def _blocks(page: pathlib.Path) -> Iterator[Block]:
    language: str | None = None
    lines: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = re.fullmatch(r"\s*```(\S*)", line)
        if fence and language is None:
            language, lines = fence[1], []
        elif fence:
            yield Block(str(page.relative_to(ROOT)), language or "", tuple(lines))
            language = None
        else:
            lines.append(line)
    assert language is None, f"{page} ends within a block"


def _of_block(block: Block) -> Iterator[Command]:
    if block.language == "yaml":
        yield from (
            Command(block.page, text)
            for text in _joined([line.strip() for line in block.lines])
            if text.startswith(PROGRAMS)
        )
    if block.language != "console":
        return
    parts = re.split(r"^\$ ", "\n".join(block.lines), flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block.page}: a console block begins with $: {parts[0]}"
    for part in parts[1:]:
        text, *shown = _joined(part.splitlines())
        text = re.sub(r"\s+# [^'\"]*$", "", text)
        yield Command(block.page, text, "\n".join(shown))


def _of_finding(page: pathlib.Path) -> Iterator[str]:
    lines = [line.removeprefix("    ") for line in page.read_text(encoding="utf-8").splitlines() if line[:4] == "    "]
    return (text for text in _joined(lines) if text.startswith(("kubectl ", "curl ")))


def _joined(lines: list[str]) -> list[str]:
    """Join lines that a shell would: after a backslash, and within quotes, of commands."""
    found: list[str] = []
    for line in lines:
        if found and found[-1].endswith("\\"):
            found[-1] = f"{found[-1][:-1].rstrip()} {line.strip()}"
        elif found and found[-1].startswith(PROGRAMS) and _is_open(found[-1]):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return [text.rstrip() for text in found]


def _is_open(text: str) -> bool:
    try:
        shlex.split(text)
    except ValueError:
        return True
    return False
