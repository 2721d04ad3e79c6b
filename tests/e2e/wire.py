"""A way to the API server that a test can cut and mend, as a network does."""

import json
import pathlib
import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.e2e.kubectl import kubectl

__all__ = ["Wire"]

_AT_ONCE = 65536


class Wire:
    """Passes connections on to the API server of $KUBECONFIG, until it is cut: then they break, and none is taken."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.kubeconfig = folder / "wire.kubeconfig"
        self._whole = threading.Event()
        self._whole.set()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server = self._write_kubeconfig()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.close()
        self._break()

    def cut(self, seconds: float) -> None:
        """Break every connection, and mend the way after a while."""
        self._whole.clear()
        self._break()
        threading.Timer(seconds, self._whole.set).start()

    def _break(self) -> None:
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _write_kubeconfig(self) -> tuple[str, int]:
        config = json.loads(kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        cluster = config["clusters"][0]["cluster"]
        url = urlsplit(cluster["server"])
        cluster["server"] = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        cluster["tls-server-name"] = url.hostname
        self.kubeconfig.write_text(json.dumps(config))
        return str(url.hostname), url.port or 443

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._whole.is_set():
                threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()
            else:
                near.close()

    def _pass_on(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._server) as far:
            self._open |= {near, far}
            to = {near: far, far: near}
            with suppress(OSError):
                while True:
                    for end in select.select([near, far], [], [])[0]:
                        if not (data := end.recv(_AT_ONCE)):
                            return
                        to[end].sendall(data)
            self._open -= {near, far}
