"""`demo`: the problem and its cures on this machine, without a cluster."""

from typing import TYPE_CHECKING

from kubectl_grpclb.commands.output import write

if TYPE_CHECKING:
    from kubectl_grpclb.flows.demo import Act, Cure

__all__ = ["demo"]


def demo() -> None:
    """Show the problem and its fixes on this machine.

    Runs real gRPC servers and clients, diagnosed like pods: first sticky, then balanced by the clients, then by the
    Envoys that fix puts in front of the servers, if Envoy is installed.

    Starts a few processes on loopback addresses, takes less than 25 seconds and leaves nothing behind.

    Exit codes: 0 shown; 2 usage; 4 it could not be run on this machine; 130 interrupted.
    """
    import asyncio

    from kubectl_grpclb.flows.demo import demonstrate

    asyncio.run(demonstrate(_Screen()))


class _Screen:
    """Standard output."""

    def say(self, line: str) -> None:
        write(f"{line}\n")

    def show(self, act: "Act") -> None:
        from kubectl_grpclb.commands import show

        total = sum(act.answered.values())
        answered = "".join(
            f"     {name}  {requests:5} requests answered  {requests / total:4.0%}\n"
            for name, requests in act.answered.items()
        )
        write(f"\n   What the clients saw ({act.policy}):\n{answered}\n   What grpclb says:\n\n")
        write(show.rendered([act.report], "table") + "\n")

    def compare(self, cure: "Cure") -> None:
        counts = (cure.before, cure.after)
        widest = max(map(len, cure.before))
        write(f"\n   {'Requests answered':{widest + 2}}  {'before (act 1)':>16}  {'after (act 3)':>16}\n")
        for name in cure.before:
            cells = [f"{count[name]:8}  {count[name] / sum(count.values()):6.0%}" for count in counts]
            write(f"     {name:{widest}}  {cells[0]}  {cells[1]}\n")
        of = [f"{effective:.1f} of {len(cure.before)}" for effective in cure.effective]
        write(f"     {'effective pods':{widest}}  {of[0]:>16}  {of[1]:>16}\n")
