"""What the program may tell a user when something goes wrong, from its own code."""

import ast
import functools
import pathlib
from collections.abc import Iterator

from kubectl_grpclb.model import errors

PACKAGE = pathlib.Path(errors.__file__).parent.parent
ERRORS = frozenset(errors.__all__)


@functools.cache
def texts() -> tuple[str, ...]:
    """Give every text of the program, with … for what is filled in."""
    return tuple(text for path in PACKAGE.rglob("*.py") for text in _texts(ast.parse(path.read_text(encoding="utf-8"))))


def raised() -> list[str]:
    """Give the text of each error that reaches a user and is written where it is made."""
    return sorted(
        {
            text
            for path in PACKAGE.rglob("*.py")
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS
            for text in map(_text, call.args[:1])
            if text.strip("…. \n")
        }
    )


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if text := _text(node):
            yield text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return ""
