"""The errors that reach a user: each becomes one message and one exit code of the contract."""

__all__ = [
    "BadSnapshotError",
    "ClusterError",
    "GrpclbError",
    "NotPermittedError",
    "UsageError",
]


class GrpclbError(Exception):
    """What happened, why, and what to do next; `exit_code` is the contract's."""

    exit_code = 4


class UsageError(GrpclbError):
    """The command line cannot be carried out as it stands."""

    exit_code = 2


class BadSnapshotError(UsageError):
    """A recorded file is truncated, not a snapshot, or of a newer schema."""


class ClusterError(GrpclbError):
    """The cluster could not be reached, or said no."""


class NotPermittedError(ClusterError):
    """A read without which nothing can be said was refused; the message names verb, resource and rule."""
