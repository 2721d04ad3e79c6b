"""An API server that only notes when the first request reaches it, over TLS as a real one."""

import pathlib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from measure import Run

__all__ = ["Door", "door"]

_CERTIFICATE = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: door, cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: "{authority}"}}}}]
users: [{{name: visitor, user: {{token: visitor}}}}]
contexts: [{{name: door, context: {{cluster: door, user: visitor}}}}]
current-context: door
"""


class Door:
    """Where a command knocks with its first request, and when it does."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, kubeconfig: pathlib.Path) -> None:
        self._listener, self._context = listener, context
        self.kubeconfig = kubeconfig

    def knock(self, command: Sequence[str]) -> Run:
        """Run the command until its first request has arrived, then end it; the wall is the time until then."""
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            peer, _ = self._listener.accept()
            with peer, self._context.wrap_socket(peer, server_side=True) as session:
                session.recv(1)
                arrived = time.monotonic()
        finally:
            process.kill()
            process.wait()
            self._turn_away()
        return Run(wall=arrived - started, cpu=0.0, peak=0, exit_code=0)

    def _turn_away(self) -> None:
        """Close whatever else the ended command has opened."""
        self._listener.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                self._listener.accept()[0].close()
        self._listener.settimeout(30)


@contextmanager
def door() -> Iterator[Door]:
    """Open one on a port of this machine, with a certificate and a kubeconfig of its own."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        folder = pathlib.Path(name)
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        who = ("-subj", "/CN=door", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1")
        subprocess.run([*_CERTIFICATE, *who, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(_KUBECONFIG.format(port=listener.getsockname()[1], authority=certificate))
        listener.settimeout(30)
        yield Door(listener, context, kubeconfig)
