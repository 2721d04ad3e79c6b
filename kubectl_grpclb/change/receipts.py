"""Where receipts are kept: a ConfigMap beside the bundle, and a file of this machine's user."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kubectl_grpclb.change.carry import carried_out
from kubectl_grpclb.cluster.port import Workshop
from kubectl_grpclb.files import write_atomically
from kubectl_grpclb.model.bundle import Bundle, bundle_of, is_labelled
from kubectl_grpclb.model.errors import BadReceiptError, DamagedReceiptError, RefusedError
from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.receipt import Made, Receipt, Step, decode_receipt, encode_receipt
from kubectl_grpclb.model.text import printable
from kubectl_grpclb.model.write import Apply, Denied

__all__ = ["Journal", "load", "receipt_file"]

_KEY = "receipt.json"


class Journal:
    """The receipt while the fix is at work: each step is written down, in both places, when it is reached."""

    def __init__(self, cluster: Workshop, receipt: Receipt, file: Path | None, allowed: Callable[[], None]) -> None:
        """Take over a receipt; `allowed` raises where somebody else may be at work by now, whose is not overwritten."""
        self._cluster, self._file, self._allowed = cluster, file, allowed
        self.receipt = receipt
        self.in_doubt: set[Made] = set()
        """Objects of which nobody knows whether the last change was made, or is still to come."""

    @property
    def places(self) -> str:
        """Say where the receipt is kept, the file as a shell takes it."""
        config_map = f"ConfigMap/{bundle_of(self.receipt.service).receipt}"
        if self._file is None:
            return config_map
        try:
            return f"~/{self._file.relative_to(Path.home())} and {config_map}"
        except (ValueError, RuntimeError):  # elsewhere, or of a user who has no home
            return f"{self._file} and {config_map}"

    async def note(self, step: Step) -> None:
        """Write down that a step is reached. Raises RefusedError where it cannot be."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        await self.keep(msgspec.structs.replace(self.receipt, step=step, at=now))

    async def keep(self, receipt: Receipt) -> None:
        """Let this be the receipt from now on. Raises RefusedError where it cannot be written."""
        self._allowed()
        self.receipt = receipt
        if self._file is not None:
            _write(self._file, encode_receipt(receipt))
        await _store(self._cluster, receipt, self.in_doubt)

    def forget(self) -> None:
        """Remove the file: nothing is left to undo. Raises RefusedError."""
        if self._file is None:
            return
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise RefusedError(
                f"could not remove the receipt {self._file}: {error.strerror}; it is no longer needed, so delete it"
            ) from error


async def load(cluster: Workshop, namespace: str, service: str, file: Path | None = None) -> Receipt | None:
    """Read the receipt beside the Service, else the file's, also where the former is damaged; None for none.

    Raises BadReceiptError where one is there and cannot be read, RefusedError where it may not be looked for.
    """
    outcome = await cluster.fetch("configmaps", namespace, bundle_of(service).receipt)
    if isinstance(outcome, Denied):
        if not outcome.is_missing:
            raise RefusedError(
                f"could not look for the receipt of an earlier fix (ConfigMap {bundle_of(service).receipt}): "
                f"{printable(outcome.message)}"
            )
        return None if file is None else _from_file(file, namespace, service)
    try:
        return _from_config_map(outcome.object, namespace, service)
    except DamagedReceiptError as error:
        if file is not None and is_labelled(outcome.object, service):
            return _from_file(file, namespace, service)
        raise DamagedReceiptError(f"{error}. The machine that ran fix may have one, for --receipt") from error


def receipt_file(context: str, namespace: str, service: str) -> Path | None:
    """Give the file's place: the XDG state directory (basedir-spec 0.8), a folder a context.

    None for a user who has no home, as a container's may.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    except RuntimeError:
        return None
    safe = "".join(character if character.isalnum() or character in "-_." else "_" for character in context)
    return Path(state, "kubectl-grpclb", "receipts", safe.lstrip(".") or "_", f"{namespace}.{service}.json")


def _from_config_map(config_map: Manifest, namespace: str, service: str) -> Receipt:
    text = (config_map.get("data") or {}).get(_KEY)
    where = f"ConfigMap {bundle_of(service).receipt}"
    if not isinstance(text, str):
        raise DamagedReceiptError(f"{where} has no {_KEY}: it is not the receipt of a fix")
    return _of(decode_receipt(text.encode()), where, namespace, service)


def _from_file(file: Path, namespace: str, service: str) -> Receipt:
    try:
        receipt = decode_receipt(file.read_bytes())
    except OSError as error:
        raise BadReceiptError(f"could not read the receipt {file}: {error.strerror}") from error
    return _of(receipt, str(file), namespace, service)


def _of(receipt: Receipt, where: str, namespace: str, service: str) -> Receipt:
    """See that a receipt is about this Service: a copy from elsewhere must lead nobody to change what is there."""
    change = receipt.change
    changed = ("services", receipt.namespace, receipt.service)
    if (receipt.namespace, receipt.service) != (namespace, service):
        raise BadReceiptError(
            f"{where} is the receipt of Service {printable(receipt.service)} in namespace "
            f"{printable(receipt.namespace)}, not of {printable(service)} in {printable(namespace)}"
        )
    if change is not None and (change.resource, change.namespace, change.name) != changed:
        raise BadReceiptError(
            f"{where} is the receipt of Service {printable(service)}, but it would change "
            f"{printable(change.resource)}/{printable(change.name)} in namespace {printable(change.namespace)}"
        )
    return receipt


async def _store(cluster: Workshop, receipt: Receipt, in_doubt: set[Made]) -> None:
    bundle = bundle_of(receipt.service)
    outcome = await carried_out(cluster, Apply(_config_map(bundle, receipt), receipt.namespace), in_doubt)
    if isinstance(outcome, Denied):
        raise RefusedError(
            f"could not write the receipt (ConfigMap {bundle.receipt}), without which a fix could not be undone: "
            f"{printable(outcome.message)}"
        )


def _config_map(bundle: Bundle, receipt: Receipt) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": bundle.receipt, "namespace": receipt.namespace, "labels": bundle.labels},
        "data": {_KEY: encode_receipt(receipt).decode()},
    }


def _write(file: Path, content: bytes) -> None:
    """Replace the file in one step; only its owner can read it. Raises RefusedError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(file, content)
    except OSError as error:
        raise RefusedError(
            f"could not write the receipt to {file}: {error.strerror}; set XDG_STATE_HOME to use another directory"
        ) from error
