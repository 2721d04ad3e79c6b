"""`-v` as users of kubectl write it: there it takes a number, here it is given once or twice."""

import re
from collections.abc import Sequence

from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.model.text import printable

__all__ = ["plain_verbosity"]

_GIVEN = re.compile(r"(?:-v|--v)=(?P<after>.*)|-v(?P<glued>\d+)", re.DOTALL)
_MOST = 2
"""When and how long is the most that is told; kubectl's 7 and more show headers and bodies."""


def plain_verbosity(words: Sequence[str]) -> list[str]:
    """Write `-v=6`, `--v=6`, `-v6`, `-v 6` and `--v 6` as so many `-v`, 0 as none and 2 or more as two.

    No Service's name is a number alone (RFC 1035), so that `-v 6` cannot mean one. Raises UsageError.
    """
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return [*plain, word, *left]
        given = _GIVEN.fullmatch(word)
        if given:
            plain += _times(given["after"] if given["glued"] is None else given["glued"])
        elif word in {"-v", "--v"} and left and left[0].isdecimal():
            plain += _times(left.pop(0))
        else:
            plain.append(word)
    return plain


def _times(number: str) -> list[str]:
    if not (number.isascii() and number.isdecimal()):
        raise UsageError(
            f"-v takes no value, or a number as kubectl's does, not '{printable(number)}': -v logs the "
            "requests to the cluster, -vv (or -v=2 and more) also when, and how long they took"
        )
    return ["-v"] * min(int(number), _MOST)
