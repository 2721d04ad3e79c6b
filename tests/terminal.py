"""A real shell on a real pseudo-terminal, and the screen that its user would see."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pyte
import pytest
from msgspec import Struct

__all__ = ["LEFT", "OVER", "PROMPT", "SHELLS", "TAB", "Shell", "Terminal", "terminal"]

PROMPT = "ready$ "
COLUMNS, LINES = 120, 60
PATIENCE = 30.0
"""Seconds to wait for what must appear; on a busy machine a shell takes its time."""

LOG_IN = "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
"""Makes a terminal the one of a program, which it becomes."""

TAB = "\t"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"

LEFT = "\x1b[D"
CLEAR_LINE = "\x05\x15"
"""To the end, and delete to the beginning."""
OVER = "#over"
"""Typed ahead, it is read when a completion is over."""


class Shell(Struct, frozen=True):
    """How a shell is started so that it reads this one file and nothing of the machine's user."""

    name: str
    words: tuple[str, ...]
    rc: str
    """Where the file is, below the home directory."""
    setup: str
    """Beginning of the file: the prompt, and the shell's completion as its users have it."""
    loads: str
    """Loads what a command prints; `{}` is the command."""

    @property
    def program(self) -> str:
        """Its path; without one, the test is skipped."""
        found = shutil.which(self.words[0])
        if found is None:
            pytest.skip(f"{self.name} is not installed")
        return found


SHELLS = {
    shell.name: shell
    for shell in (
        Shell(
            "bash",
            ("bash", "--noprofile", "-i"),
            ".bashrc",
            f"PS1='{PROMPT}'\nbind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\n"
            "bind 'set page-completions off'\nbind 'set completion-query-items 1000'\n"
            f"[ ! -r {BASH_COMPLETION} ] || source {BASH_COMPLETION}\n",
            "source <({})\n",
        ),
        Shell(
            "zsh",
            ("zsh", "-i"),
            ".zshrc",
            f"PROMPT='{PROMPT}'\nunsetopt prompt_sp zle_bracketed_paste 2>/dev/null\nsetopt no_beep\n"
            "autoload -Uz compinit && compinit -u -D\n",
            "source <({})\n",
        ),
        Shell(
            "fish",
            ("fish", "-i"),
            ".config/fish/config.fish",
            f"function fish_prompt; printf '{PROMPT}'; end\nfunction fish_greeting; end\n"
            "set -g fish_autosuggestion_enabled 0\n",
            "{} | source\n",
        ),
    )
}


class _Screen(pyte.Screen):
    """Answers a shell that asks what the terminal can do."""

    def __init__(self, answer: Callable[[str], None]) -> None:
        self._answer = answer
        super().__init__(COLUMNS, LINES)

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """Types, and waits for what is to be seen."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._screen = _Screen(self.type)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def line(self) -> str | None:
        """The line that is being typed, after the prompt and up to the cursor; None where there is no prompt."""
        line = self._screen.display[self._screen.cursor.y][: self._screen.cursor.x]
        return line.removeprefix(PROMPT) if line.startswith(PROMPT) else None

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    def until(self, what: str) -> str:
        """Wait until this is on the screen, and give all of it."""
        return self._await(lambda: what in self.text, what)

    def until_line(self, line: str) -> None:
        """Wait until this is on the line, up to the cursor."""
        self._await(lambda: self.line == line, f"the line {line!r}")

    def completes(self, line: str, whole: str) -> None:
        """Type, press TAB, and wait until the line is whole; then empty all."""
        self.type(line + TAB)
        self.until_line(whole)
        self.empty()

    def offers(self, line: str, *expected: str) -> str:
        """Type, press TAB twice, wait until each of these is listed, and give the screen; then empty it."""
        self.type(line + TAB + TAB)
        self._await(lambda: _all(expected, self.text.replace(PROMPT + line, "")), f"offers {expected}")
        seen = self.text
        self.empty()
        return seen

    def stays(self, line: str) -> str:
        """Type, press TAB twice, and give the screen after whatever comes of it."""
        self.type(line + TAB + TAB)
        self.type(OVER)
        seen = self.until(OVER)
        self.empty()
        return seen

    def empty(self) -> None:
        """Empty the line and the screen."""
        self.type(CLEAR_LINE)
        self._await(lambda: self.line == "", "an empty line")
        self.type("clear\r")
        self._await(lambda: self.text == PROMPT.rstrip() and self.line == "", "an empty screen")

    def _await(self, holds: Callable[[], bool], what: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            ready, _, _ = select.select([self._descriptor], [], [], 1.0)
            if ready:
                try:
                    self._stream.feed(os.read(self._descriptor, 65536))
                except OSError:
                    pytest.fail(f"the shell ended while waiting for {what}; the screen:\n{self.text}")
            assert time.monotonic() < deadline, f"waited for {what}; the screen:\n{self.text}"
        return self.text


def _all(expected: tuple[str, ...], seen: str) -> bool:
    return all(each in seen for each in expected)


@contextmanager
def terminal(
    shell: Shell, home: pathlib.Path, loads: tuple[str, ...], environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Start a shell that has loaded what these commands print, and wait for its prompt; skip where there is none."""
    program = shell.program
    rc = home / shell.rc
    rc.parent.mkdir(parents=True, exist_ok=True)
    rc.write_text(shell.setup + "".join(shell.loads.format(each) for each in loads))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (LINES, COLUMNS))
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", LOG_IN, str(theirs), program, *shell.words[1:]],
        pass_fds=[theirs],
        cwd=home,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(home), **environment},
    )
    os.close(theirs)
    try:
        screen = Terminal(ours)
        screen.until_line("")
        yield screen
    finally:
        child.kill()
        child.wait()
        os.close(ours)
