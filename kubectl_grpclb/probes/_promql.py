"""The queries for a Prometheus server: each counter of the table, over all pods of the Service at once.

Pods are matched by what their names begin with, so that the queries do not grow with their number. The answers hold
other pods of such names, too; who reads them picks out the Service's own.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from urllib.parse import quote

from kubectl_grpclb.probes._counters import INTERNAL, LIBRARIES, SIDECARS, Row
from kubectl_grpclb.probes.ask import Ask
from kubectl_grpclb.probes.endpoints import Backend

__all__ = ["LABEL", "key_of", "queries"]

LABEL = "grpclb"
"""The label that says which quantity a sample is: `requests`, `messages` or `open`, and the row."""

_LONGEST = 7000
"""Bytes of a query in a URL; proxies before Prometheus take 8 kB as a rule."""
_ROOM = 150
"""Bytes in a URL that matching the pods by name may take, and by address; each comes twenty times."""

_NAME = re.compile(r"[a-z0-9.-]+")
_ADDRESS = re.compile(r"[0-9a-f.:]+")

_STREAMING = "(?i).*stream.*"

Where = tuple[str, ...]
"""Matchers for the pods by name, and for targets that have none."""


def queries(ask: Ask, servers: Sequence[Backend]) -> list[str]:
    """Give as few queries as their length allows; none where there is no pod to ask about.

    `increase` over several metrics at once would be shorter, but it drops their names, so that their series collide.
    """
    where = _where(ask, servers)
    return [] if where is None else _joined(_parts(where, servers, f"[{round(ask.prometheus_range * 1000)}ms]"))


def key_of(quantity: str, row: Row) -> str:
    """Name a quantity of a row, for people who read a snapshot, too."""
    return " ".join((quantity, row.metric, *(beginning for _, beginning in row.only)))


def _joined(parts: Iterable[str]) -> list[str]:
    """Ask for several parts at once, as long as the query stays short enough."""
    queries: list[str] = []
    for part in parts:
        longer = f"{queries[-1]} or {part}" if queries else part
        if queries and len(quote(longer, safe="")) <= _LONGEST:
            queries[-1] = longer
        else:
            queries.append(part)
    return queries


def _parts(where: Where, servers: Sequence[Backend], window: str) -> Iterator[str]:
    ports = sorted({server.target_port for server in servers if server.target_port is not None})
    for row in (*LIBRARIES, *SIDECARS):
        whose = _matchers(row, ports)
        streams = [*whose, f'{row.kind}=~"{_STREAMING}"']
        yield _labelled(key_of("requests", row), _sum(row.metric, whose, where, window))
        if row.received and row.kind:
            yield _labelled(key_of("messages", row), _sum(row.received, streams, where, window))
        if row.ended and row.kind:
            began, ended = _sum(row.metric, streams, where), _sum(row.ended, streams, where)
            # Libraries make a series with its first call: before a stream ends, its type may have no series of ends.
            none = f"0 * {_sum(row.ended, [], where)}"
            yield _labelled(key_of("open", row), f"({began} - ({ended} or {none}))")


def _labelled(key: str, vector: str) -> str:
    return f'label_replace({vector}, "{LABEL}", "{key}", "", "")'


def _sum(metric: str, matchers: Sequence[str], where: Where, window: str = "") -> str:
    """Add up a pod's series: each job's by itself, as more than one may scrape the pod."""
    selected = (f"{metric}{{{','.join((*matchers, pods))}}}{window}" for pods in where)
    grown = " or ".join(f"increase({each})" if window else each for each in selected)
    return f"sum by (pod, instance, job) ({grown})"


def _matchers(row: Row, ports: Sequence[int]) -> list[str]:
    """Write a row's conditions; Prometheus renames the metrics' own label `service` where the target has one."""
    internal = f'!~"/?({"|".join(_literal(each) for each in INTERNAL)}).*"'
    names = ("service", "exported_service") if row.service == "service" else (row.service,)
    only = [(label, f"{_literal(beginning)}.*") for label, beginning in row.only]
    if row.address:
        only.append((row.address, f"(.*[^0-9])?({'|'.join(map(str, ports)) or 'none'})[^0-9]*"))
    return [*(f"{name}{internal}" for name in names if name), *(f'{label}=~"{pattern}"' for label, pattern in only)]


def _where(ask: Ask, servers: Sequence[Backend]) -> Where | None:
    pods = [server.name for server in servers if server.pod is not None and _NAME.fullmatch(server.name)]
    if not pods or not _NAME.fullmatch(ask.namespace):
        return None
    addresses = {each for server in servers for each in server.addresses if _ADDRESS.fullmatch(each)}
    hosts = _hosts(addresses)
    nameless = f'namespace="{ask.namespace}",pod=""' if hosts is None else f'pod="",instance=~".?({hosts}).?:.*"'
    return f'namespace="{ask.namespace}",pod=~"{_names(pods)}"', nameless


def _names(pods: Collection[str]) -> str:
    """Match the pods by what a controller names all of its own; where those are many, by less, down to nothing."""
    patterns = (_beginnings(pods, "-", cut, "[^-]*" if cut == 1 else ".*") for cut in (1, 2, 3, 4))
    return next(filter(_is_short, patterns), ".*")


def _hosts(addresses: Collection[str]) -> str | None:
    """Match the addresses; where they are many, their networks, and None where those are many as well."""
    old, new = ([each for each in addresses if (":" in each) is colons] for colons in (False, True))
    for cut, rest in enumerate(("", ".*", ".*")):
        pattern = "|".join(filter(None, (_beginnings(old, ".", cut, rest), _beginnings(new, ":", cut, rest))))
        if _is_short(pattern):
            return pattern
    return None


def _beginnings(texts: Collection[str], separator: str, cut: int, rest: str) -> str:
    """Match texts without their last parts; dots stand for themselves, and match more."""
    parts = (text.rsplit(separator, cut) for text in texts)
    return "|".join(sorted({f"{first}{separator if more else ''}{rest}" for first, *more in parts}))


def _is_short(pattern: str) -> bool:
    return 0 < len(quote(pattern, safe="")) <= _ROOM


def _literal(text: str) -> str:
    """Match the text itself; in brackets nothing needs a backslash, which PromQL would take for its own."""
    return text.replace(".", "[.]")
