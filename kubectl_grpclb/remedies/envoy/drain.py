"""How an Envoy without a shell drains before it ends: a listener that the kubelet asks and nobody else can.

Envoy begins to drain only when its admin interface gets a POST, and the kubelet's preStop sends a GET. So the
GET's route runs a Lua filter that POSTs to the admin port, then a fault filter that holds the answer back while
the connections drain, and only when the answer came does the kubelet send SIGTERM. The listener is on the pod's
address, where the kubelet can reach it; its path is different in each installation and not to be guessed.
"""

from kubectl_grpclb.remedies.envoy._words import TYPES, Json, extension, http_manager, router
from kubectl_grpclb.remedies.envoy._words import seconds as duration

__all__ = ["drain_listener"]

_LUA, _LUA_TYPE = "begin", "extensions.filters.http.lua.v3.Lua"
_HOLD, _HOLD_TYPE = "hold", "extensions.filters.http.fault.v3.HTTPFault"

_BEGIN = """\
function envoy_on_request(request)
  request:httpCall("admin",
    {[":method"] = "POST", [":path"] = "/drain_listeners?graceful&skip_exit", [":authority"] = "admin"}, "", 2000)
end
"""


def drain_listener(address: Json, path: str, seconds: float) -> Json:
    """Give the listener whose one path begins a drain and answers when `seconds` have passed."""
    host = {"name": "drain", "domains": ["*"], "routes": _routes(path)}
    manager = http_manager(
        {
            "stat_prefix": "drain",
            "codec_type": "HTTP1",
            "route_config": {"name": "drain", "virtual_hosts": [host]},
            "http_filters": [
                extension(_LUA, _LUA_TYPE, default_source_code={"inline_string": _BEGIN}),
                extension(_HOLD, _HOLD_TYPE, delay=_delay(seconds, percent=100)),
                router(),
            ],
        }
    )
    return {"name": "drain", "address": address, "filter_chains": [{"filters": [manager]}]}


def _routes(path: str) -> list[Json]:
    """Every other path is not found, and both filters are off for it; without a route they would run."""
    off = {
        _LUA: {"@type": f"{TYPES}.{_LUA_TYPE}PerRoute", "disabled": True},
        _HOLD: {"@type": f"{TYPES}.{_HOLD_TYPE}", "delay": _delay(0.001, percent=0)},
    }
    read = {"name": ":method", "string_match": {"exact": "GET"}}
    return [
        {"match": {"path": path, "headers": [read]}, "direct_response": {"status": 200}},
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}, "typed_per_filter_config": off},
    ]


def _delay(seconds: float, *, percent: int) -> Json:
    return {"fixed_delay": duration(seconds), "percentage": {"numerator": percent}}
