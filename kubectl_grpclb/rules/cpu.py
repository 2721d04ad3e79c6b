"""CPU of the ready pods, in words and numbers."""

from kubectl_grpclb.model.facts import Facts

__all__ = ["cores", "cpu_of"]


def cpu_of(facts: Facts) -> dict[str, float] | None:
    """Give each ready pod's cores; None where one is not told."""
    ready = [pod for pod in facts.pods if pod.ready]
    used = {pod.name: pod.usage.cpu for pod in ready if pod.usage is not None}
    return used if ready and len(used) == len(ready) else None


def cores(used: float) -> str:
    """`0.25 cores`, `12 millicores`."""
    return f"{used:.2f} cores" if used >= 0.1 else f"{used * 1000:.0f} millicores"
