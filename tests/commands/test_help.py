"""The help of the command and of each verb, at every width, and its examples, each of which is run."""

import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubectl_grpclb import cli
from kubectl_grpclb.commands import VERBS
from kubectl_grpclb.commands.examples import EXAMPLES
from kubectl_grpclb.commands.help import OTHERS
from kubectl_grpclb.model.snapshot import encode_snapshot
from kubectl_grpclb.remedies.envoy.options import DEFAULT_IMAGE
from tests import virtual_time
from tests.fake_workshop import FakeWorkshop
from tests.probes.asked import read
from tests.shop import sticky

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "help"
WORDS = [[], *([verb] for verb in VERBS)]


Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shown:
    """What is printed, on a terminal of so many columns."""

    def show(*words: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run(monkeypatch, shlex.join(["kubectl", "grpclb", *words])) == 0
        return capfd.readouterr().out

    return show


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_begins_with_a_sentence_and_examples(words: list[str], shown: Shown, update_goldens: bool) -> None:
    golden = GOLDEN / f"{' '.join(words) or 'grpclb'}.txt"

    help_ = shown(*words, "--help")

    if update_goldens:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(help_)
    assert help_ == golden.read_text()
    assert [block.split("\n")[0] for block in help_.split("\n\n")][1] == "Examples:"


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_is_asked_for_by_a_word_as_well(words: list[str], shown: Shown) -> None:
    assert shown("help", *words) == shown(*words, "--help")


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_verb_and_flag_is_in_a_group(words: list[str], shown: Shown) -> None:
    assert f"\n{OTHERS}:\n" not in shown(*words, "--help")


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_is_no_wider_than_the_terminal_and_not_too_wide_to_read(
    words: list[str], columns: int, shown: Shown
) -> None:
    text = shown(*words, "--help", columns=columns).partition("Usage:")[2]

    assert max(map(len, text.splitlines())) <= min(columns, 100)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_examples_fit_the_narrowest_terminal_that_is_common(words: list[str], shown: Shown) -> None:
    assert max(map(len, shown(*words, "--help").splitlines())) <= 80


def test_the_examples_name_the_envoy_that_its_configuration_is_written_for() -> None:
    commands = [example.command for examples in EXAMPLES.values() for example in examples]

    named = [word for command in commands for word in shlex.split(command) if "/envoy:" in word]

    assert named == [f"registry.example/{DEFAULT_IMAGE.rpartition('/')[2]}"]


def test_without_a_word_the_help_is_the_answer(shown: Shown) -> None:
    assert shown() == shown("--help")


def test_every_verb_has_examples_and_no_other_has() -> None:
    assert set(EXAMPLES) == {"", *VERBS}


def run(monkeypatch: pytest.MonkeyPatch, command: str) -> int:
    """Run a command as far as it is ours; gives the exit code."""
    words = shlex.split(command.partition(" | ")[0].partition(" > ")[0].replace("\\\n", ""))
    monkeypatch.setattr("sys.argv", ["kubectl-grpclb", *words[2:]])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkshop:
    """The shop that the examples speak of, the files that they name, and a user who says yes."""
    workshop = FakeWorkshop()
    workshop.api.put("services", {**workshop.service, "metadata": {"name": "cart", "namespace": "shop"}})
    workshop.reconcile()

    @asynccontextmanager
    async def connected(_: object) -> AsyncIterator[FakeWorkshop]:
        yield workshop

    monkeypatch.setattr("asyncio.run", virtual_time.run)
    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect", connected)
    monkeypatch.setattr("kubectl_grpclb.cluster.kube.connect_to_change", connected)
    monkeypatch.setattr("kubectl_grpclb.commands.conversation.Conversation.confirm", lambda *_: None)
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("greeter.json").write_bytes(encode_snapshot(read(sticky())))
    return workshop


@pytest.fixture
def fixed(shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> FakeWorkshop:
    """The same with a fix of greeter that cured, and its receipt in the file that the examples name."""
    shop.reconnect = True
    assert run(monkeypatch, "kubectl grpclb fix greeter -n shop --yes --strategy envoy") == 0
    receipt = next(Path("kubectl-grpclb").rglob("*.json"))
    receipt.rename("greeter-receipt.json")
    capfd.readouterr()
    return shop


CODES = {
    "diagnose": {0, 1, 2, 3, 4, 130},
    "fix": {0, 1, 2, 3, 4, 5, 130},
    "verify": {0, 2, 3, 4, 5, 130},
    "rollback": {0, 1, 2, 4, 130},
    "record": {0, 2, 4, 130},
    "explain": {0, 2},
    "rbac": {0, 2, 4},
    "demo": {0, 2, 4, 130},
    "completion": {0, 1, 2, 4, 130},
    "version": {0, 2},
}
"""What each verb may end with."""


def told_codes(text: str) -> set[int]:
    """The exit codes that a help lists at its end."""
    return {int(code) for code in re.findall(r"^  (\d+)  ", text.partition("\nExit codes:\n")[2], re.MULTILINE)}


@pytest.mark.parametrize("verb", VERBS)
def test_help_ends_with_every_exit_code_of_the_verb(verb: str, shown: Shown) -> None:
    assert told_codes(shown(verb, "--help")) == CODES[verb]


def test_the_documentation_has_every_exit_code() -> None:
    table = (ROOT / "docs" / "how-it-works.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set().union(*CODES.values())


def test_help_tells_that_fix_ends_as_diff_does_and_verify_needs_a_fix(shown: Shown) -> None:
    assert "--diff shows a difference" in " ".join(shown("fix", "--help").split())
    assert "4 no fix is recorded" in " ".join(shown("verify", "--help").split())


def examples(*verbs: str) -> "pytest.MarkDecorator":
    """Have a test run each example of these verbs."""
    return pytest.mark.parametrize("command", [each.command for verb in verbs for each in EXAMPLES[verb]])


@examples("diagnose", "fix", "record", "explain", "rbac", "version")
def test_an_example_is_carried_out(command: str, shop: FakeWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, command) in {0, 1}


@examples("verify", "rollback")
def test_an_example_for_a_service_that_was_fixed_is_carried_out(
    command: str, fixed: FakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, command) == 0


@examples("completion")
def test_an_example_of_completion_is_carried_out(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubectl-grpclb").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("kubectl_grpclb.commands.conversation.confirm", lambda *_: None)

    assert run(monkeypatch, command) == 0


def test_the_command_as_a_whole_shows_examples_of_its_verbs() -> None:
    assert {each.command for each in EXAMPLES[""]} <= {each.command for verb in VERBS for each in EXAMPLES[verb]}


@examples("demo")
def test_the_example_of_the_demo_shows_it(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("kubectl_grpclb.flows.demo.demonstrate", _noted(shown))

    assert run(monkeypatch, command) == 0
    assert shown


def _noted(calls: list[object]) -> Callable[[object], Awaitable[None]]:
    """In place of the demo, which the lab's own tests run."""

    async def demonstrate(screen: object) -> None:
        calls.append(screen)

    return demonstrate
