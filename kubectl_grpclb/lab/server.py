"""A gRPC server that answers every request with its own name: `python -m kubectl_grpclb.lab.server`."""

from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor

import grpc

from kubectl_grpclb.lab.messages import Ready
from kubectl_grpclb.lab.tether import say, tether

__all__ = ["METHOD", "serve"]

_SERVICE, _CALL = "grpclb.lab.Greeter", "SayHello"
METHOD = f"/{_SERVICE}/{_CALL}"


def serve(name: str, host: str, port: int) -> grpc.Server:
    """Start to answer. Raises RuntimeError where the address cannot be bound.

    The port is shared because the lab holds it, without listening, from before the server starts.
    """

    def say_hello(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        return name.encode()

    method = grpc.unary_unary_rpc_method_handler(say_hello)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4),
        handlers=[grpc.method_handlers_generic_handler(_SERVICE, {_CALL: method})],
        options=[("grpc.so_reuseport", 1)],
    )
    server.add_insecure_port(f"{host}:{port}")
    server.start()
    return server


def main() -> None:
    """Serve until the parent ends."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    arguments = parser.parse_args()
    tether()
    server = serve(arguments.name, arguments.host, arguments.port)
    say(Ready())
    server.wait_for_termination()


if __name__ == "__main__":
    main()
