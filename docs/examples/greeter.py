"""The greeter of the tutorial: `serve` answers, `call` calls at a steady rate over channels that stay open.

It needs grpcio, grpcio-channelz and grpcio-health-checking; the Dockerfile beside it makes an image of both.
"""

import argparse
import collections
import signal
import socket
import sys
import threading
import time
from concurrent import futures

import grpc
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICE, METHOD = "greeter.Greeter", "SayHello"


def serve(arguments: argparse.Namespace) -> None:
    """Answer every call with this machine's name, until told to end; then finish the calls that run."""
    name = socket.gethostname().encode()
    hello = grpc.unary_unary_rpc_method_handler(lambda _request, _context: name)
    healthy = health.HealthServicer()
    healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=20))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: hello}),))
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    channelz.add_channelz_servicer(server)
    port = server.add_insecure_port(f"[::]:{arguments.port}")
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    server.start()
    print(f"answering on port {port}", flush=True)
    ending.wait()
    server.stop(grace=10).wait()


def call(arguments: argparse.Namespace) -> None:
    """Call over one channel, and say every five seconds who answered how often, until told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the first process of a container has to say so
    options = [("grpc.service_config", f'{{"loadBalancingConfig": [{{"{arguments.policy}": {{}}}}]}}')]
    stub = grpc.insecure_channel(arguments.target, options=options).unary_unary(f"/{SERVICE}/{METHOD}", bytes, bytes)
    answered: collections.Counter[str] = collections.Counter()
    said = time.monotonic()
    while True:
        begun = time.monotonic()
        try:
            answered[stub(b"", timeout=5, wait_for_ready=True).decode()] += 1
        except grpc.RpcError as error:
            answered[f"error {error.code().name}"] += 1
        if time.monotonic() - said >= arguments.report:
            print(dict(answered), flush=True)
            answered.clear()
            said = time.monotonic()
        time.sleep(max(0.0, 1 / arguments.rate - (time.monotonic() - begun)))


def main() -> None:
    """Read the command line, and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(required=True)
    serving = verbs.add_parser("serve", help="answer calls")
    serving.add_argument("--port", type=int, default=50051)
    serving.set_defaults(run=serve)
    calling = verbs.add_parser("call", help="call at a steady rate")
    calling.add_argument("--target", required=True, help="as dns:///greeter:80")
    calling.add_argument("--rate", type=float, default=50, help="calls a second")
    calling.add_argument("--policy", choices=["pick_first", "round_robin"], default="pick_first")
    calling.add_argument("--report", type=float, default=5, help="seconds between two lines")
    calling.set_defaults(run=call)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
