"""The errors that reach a user: each becomes one message and one exit code of the contract."""

__all__ = [
    "BadReceiptError",
    "BadSnapshotError",
    "ClusterError",
    "DamagedReceiptError",
    "DeclinedError",
    "EndedError",
    "GrpclbError",
    "NotPermittedError",
    "RefusedError",
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


class BadReceiptError(GrpclbError):
    """The record of a fix cannot be acted upon: it is damaged, of a newer schema, or of something else."""


class DamagedReceiptError(BadReceiptError):
    """It is truncated, or no record of a fix at all."""


class RefusedError(GrpclbError):
    """A fix was not begun, or was taken back: the message says why and what to do."""


class DeclinedError(GrpclbError):
    """The user said no; nothing was changed."""

    exit_code = 1


class EndedError(GrpclbError):
    """A signal ended the verb, which took back what it had begun."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
