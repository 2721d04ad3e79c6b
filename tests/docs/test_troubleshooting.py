"""The page of messages quotes messages that there are, and leaves out none."""

import pathlib
import re

import pytest

from kubectl_grpclb.rules import RULES
from tests.docs.messages import PACKAGE, raised, texts

PAGE = (pathlib.Path(__file__).parent.parent.parent / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = [" ".join(quote.split()) for quote in re.findall(r"\*\*`([^`]+)`\*\*", PAGE)]
CHECKS = re.findall(r"^\| (`[^|]+`) \|", PAGE, re.MULTILINE)


def plain(text: str) -> str:
    """One line, and what is quoted without its marks, which a page cannot nest."""
    return " ".join(text.replace("`", "").split())


def fits(quote: str, text: str) -> bool:
    """Whether a quote, in which … stands for anything, is in a text."""
    words = [re.escape(part.strip()) for part in quote.split("…") if part.strip()]
    return re.search(r"[^\0]*".join(words), text) is not None


def begins(quote: str, text: str) -> bool:
    """Whether a text begins as a quote does, so that who looks for its first words finds it; … may be any words."""
    open_ended = quote.startswith("…") or text.startswith("…")
    return fits(quote, text) and (open_ended or text.startswith(quote.partition("…")[0].strip()))


TEXTS = "\0".join(map(plain, texts()))


@pytest.mark.parametrize("quote", QUOTED)
def test_a_message_that_is_quoted_is_one_of_the_program(quote: str) -> None:
    assert fits(quote, TEXTS)


@pytest.mark.parametrize("text", raised())
def test_a_message_that_reaches_a_user_is_on_the_page(text: str) -> None:
    assert [quote for quote in QUOTED if begins(quote, plain(text))] != []


@pytest.mark.parametrize("code", [rule.code for rule in RULES if rule.code.startswith("GLB9")])
def test_what_keeps_from_looking_is_on_the_page(code: str) -> None:
    assert f"[{code}](" in PAGE


def test_checks_that_are_named_are_checks() -> None:
    program = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    names = set(re.findall(r"(?:name=|_NAME = )\"([a-z-]+)\"", program))

    assert {name for cell in CHECKS for name in re.findall(r"`([^`]+)`", cell)} <= names
