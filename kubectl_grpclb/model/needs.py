"""What each verb has to be allowed to do: one table, from which roles, preflights and pages are made.

Whatever a verb asks of a cluster is in it, with what it is for and what is lost without it. Three things are not, since
every user may do them (the ClusterRoles `system:basic-user` and `system:discovery`): ask what oneself may do, and ask
which resources and which version the cluster has. Nor is what the diagnosis of `fix` asks clients of other namespaces,
by port-forward where it may: the plan does without it.
"""

from kubectl_grpclb.model.need import Need, Place
from kubectl_grpclb.model.needs_of_change import CHANGES
from kubectl_grpclb.model.needs_of_reading import LOOKING, READS, SOURCES

__all__ = ["NEEDS", "lost_without"]

NEEDS: tuple[Need, ...] = (*READS, *SOURCES, *CHANGES)
"""Every one, in the order in which roles and pages list them."""


def lost_without(resource: str, place: Place) -> str:
    """Say what a diagnosis loses where a resource may not be read; empty where it loses nothing that is known."""
    found = (need.without for need in NEEDS if resource in need.resources and need.place == place and need.of & LOOKING)
    return next((without for without in found if without), "")
