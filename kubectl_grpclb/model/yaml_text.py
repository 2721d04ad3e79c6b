"""YAML for people: texts of several lines as such, nothing by reference."""

import re

import yaml

__all__ = ["yaml_text"]

_OTHERWISE_IN_GO = re.compile(
    r"[yYnN]|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?0[xXoObB][0-9a-fA-F]+", re.ASCII
)
"""What kubectl reads as a number or a truth value, underscores aside, and PyYAML writes as text without quotes: `1e3`,
`08`, `0o17`, `y` (go-yaml v2, resolve.go)."""


_NEVER_FOLD = 1 << 30
"""Columns: a command can be copied only from one line."""


class _Readable(yaml.SafeDumper):
    """Writes a text of several lines as such a text, and whatever comes twice, twice."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Choose the literal style for more than one line, and quotes for what could be taken for no text."""
        style = "'" if _OTHERWISE_IN_GO.fullmatch(text.replace("_", "")) else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def ignore_aliases(self, _: object) -> bool:
        """Make no anchors, which only parsers like."""
        return True


_Readable.add_representer(str, _Readable.represent_text)


def yaml_text(data: object, *, compact: bool = False, by_key: bool = False) -> str:
    """Give JSON data as one YAML document in ASCII, in its own order; no text is folded.

    `compact` puts innermost lists and maps on one line, `by_key` sorts keys, so that documents can be compared.
    """
    style = None if compact else False
    return yaml.dump(data, Dumper=_Readable, sort_keys=by_key, default_flow_style=style, width=_NEVER_FOLD)
