"""`demo`: the problem on this machine, without a cluster."""

from kubectl_grpclb.commands.output import write

__all__ = ["demo"]


def demo() -> None:
    """Show the problem on this machine, without a cluster.

    Real gRPC servers and clients, diagnosed as pods are, first sticky and then balanced by the clients.

    Starts a handful of processes on loopback addresses, takes under 20 seconds and leaves nothing behind.
    """
    import asyncio

    from kubectl_grpclb.commands import show
    from kubectl_grpclb.flows.demo import Act, demonstrate

    def tell(act: Act) -> None:
        total = sum(act.answered.values())
        answered = "".join(
            f"     {name}  {requests:5} requests answered  {requests / total:4.0%}\n"
            for name, requests in act.answered.items()
        )
        write(f"\n   What the clients saw ({act.policy}):\n{answered}\n   What grpclb says:\n\n")
        write(show.rendered([act.report], "table") + "\n")

    asyncio.run(demonstrate(lambda line: write(f"{line}\n"), tell))
