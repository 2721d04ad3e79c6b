"""Print how fast a long /proc/net/tcp is read, and the peak of memory as a multiple of the input.

Run as `python bench/parse_proc.py`. The input is what the look's script prints of 200,000 sockets, and what
is measured is the function that the pipeline calls.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from kubectl_grpclb.model.gap import Gap
from kubectl_grpclb.model.snapshot import Blob, Output
from kubectl_grpclb.probes.sockets import parse_look

LINES = 200_000
PEERS = 2_000
ROUNDS = 7
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
GREETER, METRICS = "0AC012C6:C383", "0AC012C6:2382"
ESTABLISHED, TIME_WAIT = "01", "06"


def socket_lines(count: int, *, wanted: float, peers: int, seed: int) -> Iterator[str]:
    """Give lines as the kernel prints them, a share of them established on the greeter's port."""
    dice = random.Random(seed)
    addresses = [f"{dice.getrandbits(32):08X}" for _ in range(peers)]
    yield HEADER.ljust(149) + "\n"
    for number in range(count):
        local, state = (GREETER, ESTABLISHED) if dice.random() < wanted else (METRICS, TIME_WAIT)
        peer = f"{dice.choice(addresses)}:{dice.randrange(1024, 65536):04X}"
        rest = "00000000:00000000 02:000004A3 00000000 65532        0 60928 2 00000000be84aeb4 20 4 30 10 -1"
        yield f"{number:4d}: {local} {peer} {state} {rest}".ljust(149) + "\n"


def look(number: int, lines: Iterator[str]) -> str:
    """Give one look as the script prints it."""
    return f"#grpclb look {number} proc\n#grpclb sockets\n{''.join(lines)}\n#grpclb status 0\n"


def single(*, wanted: float, peers: int = PEERS) -> str:
    """Give the answer to a request without a window."""
    lines = socket_lines(LINES, wanted=wanted, peers=peers, seed=7)
    return f"#grpclb script 1\n{look(1, lines)}#grpclb end\n"


def double() -> str:
    """Give two looks that hold all the lines together, every connection in both."""
    first, last = (look(number, socket_lines(LINES // 2, wanted=1, peers=PEERS, seed=7)) for number in (1, 2))
    return f"#grpclb script 1\n{first}#grpclb waited 5\n{last}#grpclb end\n"


def read(output: Output) -> int:
    """Read as the pipeline does; give the number of connections."""
    looks = parse_look(output, frozenset({50051}))
    if isinstance(looks, Gap):
        raise TypeError(looks.detail)
    return len(looks.seen)


def measure(name: str, text: str) -> None:
    """Print one row: wall clock of the best and the middle round, processor time, memory."""
    output = Output(stdout=Blob(text=text), exit_code=0)
    walls, processors = [], []
    connections = 0
    for _ in range(ROUNDS):
        wall, processor = time.perf_counter(), time.process_time()
        connections = read(output)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    tracemalloc.start()
    read(output)
    peak = tracemalloc.get_traced_memory()[1] + len(text)
    tracemalloc.stop()
    print(
        f"{name:34} {connections:8,} connections  {LINES / min(walls):10,.0f} lines/s best"
        f"  {LINES / sorted(walls)[ROUNDS // 2]:10,.0f} median"
        f"  {LINES / min(processors):10,.0f} by processor time"
        f"  peak {peak / len(text):.2f} x input"
    )


def main() -> None:
    """Measure the cases."""
    print(f"{LINES:,} lines of {len(single(wanted=1)) / LINES:.0f} bytes, input included in the peak")
    measure("all on the wanted port", single(wanted=1))
    measure("one in five on the wanted port", single(wanted=0.2))
    measure("two looks, all on the wanted port", double())
    measure("every line another peer", single(wanted=1, peers=LINES))


if __name__ == "__main__":
    main()
