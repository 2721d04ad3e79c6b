"""The sockets of all of a node's servers in one look from a pod on the node: `--via node`.

What the look prints of a pod is what the pod's own look prints where the kernel's files tell, without the resolver's
search list, so that it is read in the same way.
"""

import re
from collections.abc import Iterable, Sequence

from kubectl_grpclb.model.errors import BadSnapshotError
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.look import MARK
from kubectl_grpclb.model.snapshot import Answer, Blob, LookFromNode, Output, Reading, Refused
from kubectl_grpclb.probes._node_script import SCRIPT
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import OVER, Backend
from kubectl_grpclb.probes.sockets import Looks, parse_look

__all__ = ["looks_from_nodes", "output_of", "request_node_looks"]

_BEFORE_UIDS = 5
"""Words of the command: sh, -c, the script, its name and the window."""

_UID = re.compile(r"[0-9A-Za-z]+(-[0-9A-Za-z]+)*")
"""What the script can take; of the API server it is a UUID."""

_PART = re.compile(rf"\n{MARK}(?:pod|none|over)\b")


def request_node_looks(ask: Ask, servers: Sequence[Backend], namespace: str, image: str) -> list[LookFromNode]:
    """Ask for one look from each node that servers run on, by a pod of this image in this namespace."""
    by_node: dict[str, list[str]] = {}
    for server in servers:
        if (node := _node_of(server)) and (uid := _uid_of(server)):
            by_node.setdefault(node, []).append(uid)
    wait = f"{max(0.0, ask.window):.3f}".rstrip("0").rstrip(".")
    return [
        LookFromNode(
            namespace, node, image, ("sh", "-c", SCRIPT, "grpclb", wait, *sorted(uids)), ask.window + ask.look_limit
        )
        for node, uids in sorted(by_node.items())
    ]


def looks_from_nodes(readings: Iterable[Reading], server: Backend) -> Looks | Gap | None:
    """Say what the last look from its node shows of a server; None where there was none."""
    uid, port = _uid_of(server), server.target_port
    asked = [
        reading.answer
        for reading in readings
        if isinstance(reading.request, LookFromNode) and uid in reading.request.command[_BEFORE_UIDS:]
    ]
    if uid is None or port is None or not asked:
        return None
    output = output_of(asked[-1], uid)
    return output if isinstance(output, Gap) else parse_look(output, frozenset({port}))


def output_of(answer: Answer, uid: str) -> Output | Gap:
    """Give what the pod's own look would have printed, or say why it cannot be known; any answer is welcome."""
    if isinstance(answer, Refused):
        return Gap(answer.reason, answer.message)
    if not isinstance(answer, Output):
        return Gap(GapReason.GARBLED, "the look from the node was not answered with a command's output")
    if answer.gap is not None:
        return Gap(answer.gap, answer.detail)
    try:
        text = "\n" + (answer.stdout.text or answer.stdout.raw().decode("latin-1"))
    except BadSnapshotError as error:
        return Gap(GapReason.GARBLED, str(error))
    pieces = _pieces(text, uid)
    if f"\n{MARK}none {uid}\n" in text:
        what = "ended during the look" if pieces else "are not to be found on the node"
        return Gap(GapReason.DIED, f"the pod's processes {what}")
    if not pieces:
        return _nothing(answer)
    return Output(stdout=Blob(text="".join(pieces)), stderr=answer.stderr, exit_code=answer.exit_code)


def _pieces(text: str, uid: str) -> list[str]:
    """Give what stands between the pod's marks and the next pod's."""
    heading, pieces = f"\n{MARK}pod {uid}\n", []
    at = text.find(heading)
    while at >= 0:
        start = at + len(heading)
        following = _PART.search(text, start - 1)
        end = following.start() + 1 if following else len(text)
        pieces.append(text[start:end])
        at = text.find(heading, end - 1)
    return pieces


def _nothing(answer: Output) -> Gap:
    if answer.exit_code in {126, 127}:
        return Gap(GapReason.NO_SHELL, (answer.stderr.text or "the look's image has no sh").strip()[:200])
    if answer.exit_code != 0:
        ending = "" if answer.exit_code is None else f", with status {answer.exit_code}"
        return Gap(GapReason.DIED, f"the look from the node ended before it came to the pod{ending}")
    return Gap(GapReason.GARBLED, "what the look from the node printed is not its output")


def _node_of(server: Backend) -> str | None:
    if server.pod is None or server.target_port is None or server.pod.status.phase in OVER:
        return None
    return server.pod.spec.node_name


def _uid_of(server: Backend) -> str | None:
    uid = server.pod.metadata.uid if server.pod is not None else None
    return uid if uid and _UID.fullmatch(uid) else None
