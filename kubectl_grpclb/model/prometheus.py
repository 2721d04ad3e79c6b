"""How a Prometheus server is named: by a URL, or by a Service behind the API server's proxy."""

import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from kubectl_grpclb.model.errors import UsageError

__all__ = ["ProxiedService", "prometheus_server", "proxied_service"]

_SERVICE = re.compile(r"svc/([a-z0-9.-]+)/([a-z0-9-]+:[a-z0-9-]+)")

_FORMS = "give http://HOST:PORT, https://HOST, or svc/NAMESPACE/NAME:PORT for a Service of the cluster"


class ProxiedService(Struct, frozen=True):
    """A Service of the cluster; `port` is with its name: `prometheus:9090`."""

    namespace: str
    port: str


def proxied_service(server: str) -> ProxiedService | None:
    """Give the Service that a server's name names, None where it is a URL."""
    match = _SERVICE.fullmatch(server)
    return ProxiedService(*match.groups()) if match else None


def prometheus_server(text: str) -> str:
    """Check what was given as a Prometheus server, and give it without the user's name and password.

    Raises UsageError that says what is wrong with it; it does not repeat what was given, which may hold a password.
    """
    if text.startswith("svc/"):
        if proxied_service(text) is None:
            raise UsageError(f"--prometheus svc/… is not svc/NAMESPACE/NAME:PORT: {_FORMS}")
        return text
    url = _split(text)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        raise UsageError(f"--prometheus is neither a URL nor a Service: {_FORMS}")
    if url.query or url.fragment:
        raise UsageError(f"the URL of --prometheus ends at its path, without ? and #: {_FORMS}")
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"


def _split(text: str) -> SplitResult | None:
    """Take a URL apart; None where it has characters that are in none, or a port that is no number."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        url = urlsplit(text)
        _ = url.port  # which is checked only when it is asked for
    except ValueError:
        return None
    return url
