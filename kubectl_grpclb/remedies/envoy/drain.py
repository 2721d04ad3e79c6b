"""How an Envoy without a shell drains before it ends: a listener that the kubelet asks and nobody else can.

Envoy begins to drain only when its admin interface gets a POST, and the kubelet's preStop sends a GET. So the
GET's route runs a Lua filter that POSTs to the admin port, and then holds the answer back: as long as it takes for
the cluster to send no more connections here, and for the calls that run to end. Only when the answer came does the
kubelet send SIGTERM. Lua cannot sleep, so it asks this same listener for a page that a fault filter delays by a second.

The listener is on the pod's address, where the kubelet can reach it; its path is different in each installation and
not to be guessed.
"""

from kubectl_grpclb.remedies.envoy._words import TYPES, Json, extension, http_manager, router
from kubectl_grpclb.remedies.envoy._words import seconds as duration

__all__ = ["drain_listener"]

_LUA, _LUA_TYPE = "begin", "extensions.filters.http.lua.v3.Lua"
_HOLD, _HOLD_TYPE = "hold", "extensions.filters.http.fault.v3.HTTPFault"

_BEGIN = """\
local function ask(request, cluster, method, path)
  local _, body = request:httpCall(cluster,
    {{[":method"] = method, [":path"] = path, [":authority"] = cluster}}, "", 3000)
  return body or ""
end

function envoy_on_request(request)
  ask(request, "admin", "POST", "/drain_listeners?graceful&skip_exit")
  for second = 1, {most} do
    ask(request, "drain", "GET", "{path}/second")
    if second >= {least} then
      local calls = ask(request, "admin", "GET", "/stats?filter=^http.grpc.downstream_rq_active$")
      if string.match(calls, ": 0%s*$") then
        return
      end
    end
  end
end
"""


def drain_listener(address: Json, path: str, least: float, most: float) -> Json:
    """Give the listener whose one path begins a drain.

    It answers when no call runs any more, but not before `least` and not after `most` seconds.
    """
    host = {"name": "drain", "domains": ["*"], "routes": _routes(path)}
    script = _BEGIN.format(path=path, least=round(least), most=round(most))
    manager = http_manager(
        {
            "stat_prefix": "drain",
            "codec_type": "HTTP1",
            "stream_idle_timeout": duration(0),
            "route_config": {"name": "drain", "virtual_hosts": [host]},
            "http_filters": [
                extension(_LUA, _LUA_TYPE, default_source_code={"inline_string": script}),
                extension(_HOLD, _HOLD_TYPE, delay=_delay(1, percent=100)),
                router(),
            ],
        }
    )
    return {
        "name": "drain",
        "address": address,
        "ignore_global_conn_limit": True,  # an Envoy that is full has to end, too
        "filter_chains": [{"filters": [manager]}],
    }


def _routes(path: str) -> list[Json]:
    """Each path has its filter; every other path is not found and has none. Without a route both would run."""
    no_script = {_LUA: {"@type": f"{TYPES}.{_LUA_TYPE}PerRoute", "disabled": True}}
    no_delay = {_HOLD: {"@type": f"{TYPES}.{_HOLD_TYPE}", "delay": _delay(0.001, percent=0)}}
    return [
        {**_answered(path), "typed_per_filter_config": no_delay},
        {**_answered(f"{path}/second"), "typed_per_filter_config": no_script},
        {
            "match": {"prefix": "/"},
            "direct_response": {"status": 404},
            "typed_per_filter_config": {**no_script, **no_delay},
        },
    ]


def _answered(path: str) -> Json:
    read = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [read]}, "direct_response": {"status": 200}}


def _delay(seconds: float, *, percent: int) -> Json:
    return {"fixed_delay": duration(seconds), "percentage": {"numerator": percent}}
