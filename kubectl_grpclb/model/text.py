"""Text that came from a cluster, made safe to show."""

import unicodedata

__all__ = ["printable"]

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, reorder text or show nothing."""


def printable(text: str) -> str:
    r"""Give the text with every control, format and unassigned character as a visible escape (`\x1b`).

    Line breaks and tabs are escaped too: the callers lay out lines themselves.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii") if unicodedata.category(character) in _UNSAFE else character
        for character in text
    )
