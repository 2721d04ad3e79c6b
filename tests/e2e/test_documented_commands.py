"""Every command of the documentation that needs a cluster, on one: it ends as it should, and shows what is shown.

The tutorial makes the Service and looks at it. While its load sticks, the other pages' commands look, side by side;
then the tutorial goes on to its fix and its rollback; and last come the commands that change the Service otherwise.
"""

import pathlib
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.docs.commands import ROOT, Command, landmarks, on_a_cluster
from tests.e2e.kubectl import kubectl

pytestmark = pytest.mark.e2e

NAMESPACE = f"grpclb-docs-{secrets.token_hex(3)}"
TUTORIAL = "docs/tutorial.md"
CHANGING = re.compile(r"kubectl (scale|patch|rollout restart|debug|delete)|grpclb (fix .*--yes|verify|rollback)")
"""Commands that change something, or only mean something after a fix: they are run when the others have looked."""
SUBSTITUTES: Sequence[tuple[str, str]] = (
    (r"(?<=-n )shop\b|(?<=namespace )shop\b", NAMESPACE),
    (r"grpclb fix greeter(?!.*--envoy-image)", "grpclb fix greeter --envoy-image grpclb.test/envoy:1.40.0"),
    (r"--image=busybox\b", "--image=grpclb.test/busybox:1"),
    (r"kubectl apply -f -", "kubectl apply --dry-run=server -f -"),  # of roles, of which some are the whole cluster's
    (r"(?<=delete namespace )(\S+)", r"\1 --wait=false"),
)
"""What this cluster, which has no registry, calls otherwise; and what need not be awaited."""
POD = "greeter-7c9f8d5b6-x2x9k"
"""A pod, as the pages name it."""
SIDE_BY_SIDE = 5
"""Pages whose commands are run at a time: they mostly wait between two looks. Each asks the pods' channelz, which the
others count as calls; so that these do not look like load, there are fewer of them than calls by far."""
USER = '{"securityContext": {"runAsUser": 65534}}'
"""The file `user.json` of GLB901."""
EXITS: Sequence[tuple[str, set[int]]] = (
    (r"--fail-on never", {0}),
    (r"--via metrics( |$)(?!.*channelz)", {3}),  # the tutorial's greeter counts nothing for Prometheus
    (r"grpclb diagnose", {1}),
    (r"jq -e", {0, 1}),  # the busiest pod has 1.5 or 3 times the mean, as chance has it
    (r"grpclb fix greeter -n shop($| --lb-policy)", {2}),  # it asks, and nobody is there to answer
    (r"--strategy gateway", {0, 4}),  # whether the cluster has the Gateway API is its own affair
    (r"", {0}),
)
"""Exit codes, by the first that fits: load sticks while the pages look, and is balanced at the tutorial's end."""

Done = subprocess.CompletedProcess[str]


def substituted(text: str) -> str:
    for pattern, substitute in SUBSTITUTES:
        text = re.sub(pattern, substitute, text)
    return text


def folder_of(where: pathlib.Path, page: str) -> pathlib.Path:
    """A page's own folder, with the examples: of this cluster's image, and with more calls."""
    folder = where / page.replace("/", "-")
    if folder.exists():
        return folder
    examples = folder / "docs" / "examples"
    examples.mkdir(parents=True)
    for name in ("greeter.yaml", "caller.yaml"):
        text = (ROOT / "docs" / "examples" / name).read_text()
        text = text.replace("image: greeter:1", "image: grpclb.test/greeter:netstat")
        (examples / name).write_text(text.replace("--rate=50", "--rate=200"))
    (folder / "user.json").write_text(USER)
    return folder


def run(command: Command, where: pathlib.Path, pod: str) -> Done:
    text = substituted(command.text).replace(POD, pod)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        cwd=folder_of(where, command.page),
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
    )


def once(commands: Sequence[Command], told: set[str]) -> list[Command]:
    """Leave out what another page has, too, unless another command of its page goes by the file that it writes."""
    left = []
    for command in commands:
        files = set(re.findall(r"\S+\.(?:json|yaml)\b", command.text))
        beside = [each for each in commands if each.page == command.page and each != command]
        if command.text not in told or any(name in each.text for name in files for each in beside):
            left.append(command)
        told.add(command.text)
    return left


def first_pod() -> str:
    names = kubectl("get", "pods", "-n", NAMESPACE, "-l", "app=greeter", "-o", "name").split()
    return names[0].removeprefix("pod/")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Command], Done]]:
    """What each command came to; one that several pages show was run once."""
    where = tmp_path_factory.mktemp("pages")
    story = [command for command in on_a_cluster() if command.page == TUTORIAL]
    told = {command.text for command in story}
    others = once([command for command in on_a_cluster() if command.page != TUTORIAL], told)
    begin = next(at for at, command in enumerate(story) if "grpclb" in command.text) + 1
    cure = next(at for at, command in enumerate(story) if "grpclb fix" in command.text and "--yes" in command.text)
    looking = [*story[begin:cure], *(command for command in others if not CHANGING.search(command.text))]
    pages = {command.page: [each for each in looking if each.page == command.page] for command in looking}
    done: dict[Command | str, Done] = {}

    def in_turn(commands: Sequence[Command], pod: str = "") -> None:
        for command in commands:
            done[command] = done[command.text] = run(command, where, pod)

    try:
        in_turn(story[:begin])
        pod = first_pod()
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(lambda commands: in_turn(commands, pod), pages.values()))
        in_turn(story[cure:-1], pod)
        in_turn([command for command in others if CHANGING.search(command.text)], pod)
        in_turn(story[-1:])
        yield lambda command: done.get(command) or done[command.text]
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize("command", on_a_cluster(), ids=lambda command: f"{command.page}: {command.text}")
def test_a_command_ends_as_the_documentation_says(command: Command, ran: Callable[[Command], Done]) -> None:
    done = ran(command)

    wanted = next(codes for pattern, codes in EXITS if re.search(pattern, command.text))
    assert done.returncode in wanted, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [each for each in on_a_cluster() if each.shown], ids=lambda command: f"{command.page}: {command.text}"
)
def test_a_command_shows_what_the_documentation_shows(command: Command, ran: Callable[[Command], Done]) -> None:
    done = ran(command)

    printed = (done.stdout + done.stderr).replace(NAMESPACE, "shop")
    assert landmarks(command.shown) - landmarks(printed) == set()


def test_the_file_of_the_page_is_the_one_that_is_used() -> None:
    assert USER in (ROOT / "kubectl_grpclb" / "rules" / "glb901.md").read_text()
