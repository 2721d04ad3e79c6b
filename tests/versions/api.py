"""The API's types: which version of Kubernetes brought each field, and objects as an older one serves them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["HERE", "as_of", "recorded", "since"]

HERE = Path(__file__).parent
_SIDECARS = 28
"""The version that let init containers go on running."""

_TYPES = {"HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler"}
"""Kinds whose type is not V1 and their name."""


@cache
def _table() -> dict[str, dict[str, tuple[str, int]]]:
    table: dict[str, dict[str, tuple[str, int]]] = json.loads((HERE / "fields.json").read_text())
    return table


@cache
def recorded(name: str) -> Any:
    """Give what the real 1.37 answered; nobody changes it."""
    return json.loads((HERE / "recorded" / f"{name}.json").read_text())


def since(kind: str, manifest: Any) -> Iterator[tuple[str, int]]:
    """Give each field of an object with the version that brought it. Raises KeyError for one that there is not."""
    yield from _since(_TYPES.get(kind, f"V1{kind}"), manifest, kind)


def as_of(minor: int, kind: str, item: Any) -> Any:
    """Give an object as 1.`minor` would serve it."""
    return _without_later(minor, _TYPES.get(kind, f"V1{kind}"), item)


def _since(name: str, value: Any, path: str) -> Iterator[tuple[str, int]]:
    for key, held in value.items():
        if key in {"apiVersion", "kind"}:
            continue
        type_, minor = _table()[name][key]
        yield f"{path}.{key}", minor
        for each in held if isinstance(held, list) else [held]:
            if type_ in _table() and isinstance(each, dict):
                yield from _since(type_, each, f"{path}.{key}")


def _without_later(minor: int, name: str, value: Any) -> Any:
    if name not in _table() or not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, held in value.items():
        type_, came = _table()[name].get(key, ("", 0))
        if came > minor:
            continue
        if isinstance(held, list):
            kept[key] = [_without_later(minor, type_, each) for each in held if not _is_sidecar(each, minor)]
        else:
            kept[key] = _without_later(minor, type_, held)
    return kept


def _is_sidecar(value: Any, minor: int) -> bool:
    """Tell an init container that goes on running, or its status, where there can be none yet."""
    return minor < _SIDECARS and isinstance(value, dict) and value.get("name") == "log-shipper"
