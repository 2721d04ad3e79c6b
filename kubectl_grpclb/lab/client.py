"""A gRPC client with one channel and a steady rate of calls: `python -m kubectl_grpclb.lab.client`."""

import json
import time
from argparse import ArgumentParser
from collections import Counter

import grpc

from kubectl_grpclb.lab.messages import Dial, Tally
from kubectl_grpclb.lab.server import METHOD
from kubectl_grpclb.lab.tether import say, tether, told

__all__ = ["call", "channel_to"]

_PATIENCE = 2.0
"""Seconds that one call may take."""

_REPORT_EVERY = 0.1
"""Seconds between two tallies."""


def channel_to(target: str, policy: str) -> grpc.Channel:
    """Open a channel that places its calls by a policy: `pick_first`, gRPC's default, or `round_robin`."""
    service_config = json.dumps({"loadBalancingConfig": [{policy: {}}]})
    return grpc.insecure_channel(
        target,
        options=[
            ("grpc.service_config", service_config),
            ("grpc.enable_http_proxy", 0),  # a proxy of the user's environment does not know the lab
        ],
    )


def call(channel: grpc.Channel, rate: float) -> None:
    """Call at `rate` a second for ever, and tell the parent who answered."""
    say_hello = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    answers: Counter[str] = Counter()
    failed = 0
    due = report_due = time.monotonic()
    while True:
        try:
            name: bytes = say_hello(b"", timeout=_PATIENCE, wait_for_ready=True)
            answers[name.decode()] += 1
        except grpc.RpcError:
            failed += 1
        now = time.monotonic()
        if now >= report_due:
            say(Tally(answers, failed))
            report_due = now + _REPORT_EVERY
        due = max(due + 1 / rate, now)
        time.sleep(due - now)


def main() -> None:
    """Wait for a target, then call until the parent ends."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="seen in the list of processes")
    parser.add_argument("--policy", required=True)
    parser.add_argument("--rate", required=True, type=float)
    arguments = parser.parse_args()
    target = told(Dial).target
    tether()
    with channel_to(target, arguments.policy) as channel:
        call(channel, arguments.rate)


if __name__ == "__main__":
    main()
