"""A plan as its reader sees it before anything is changed."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from kubectl_grpclb.model.facts import Target
from kubectl_grpclb.model.plan import Advice, Check, Field, Patch, Plan, Restart
from kubectl_grpclb.report.page import Page
from kubectl_grpclb.report.plan import render_plan
from tests.remedies.builders import live
from tests.remedies.envoy.builders import planned
from tests.report.builders import target

Golden = Callable[[str, str], str]

PLAIN = Page(width=80, colour=False)
HOSTILE = "greeter\x1b[2J\x1b]0;pwned\x07\u202e\u2028"
GITOPS = Check(
    level="refuse",
    name="gitops",
    message="Argo CD (shop) writes this Service and puts it back when it is changed here, so the fix would not last.",
    do="kubectl grpclb fix greeter -n shop --dry-run prints the manifests: put them beside the Service's own.",
)
CLIENTS = Plan(
    target=target(),
    strategy="client",
    title="Change the clients of greeter",
    findings=("GLB103",),
    why=("A headless Service gives every address, and gRPC's default policy takes only one of them.",),
    advice=(
        Advice(title="Go", lines=('grpc.NewClient("dns:///greeter.shop.svc.cluster.local:50051",', "    config)")),
    ),
)


def low_port() -> Plan:
    """A plan that moves a port, too."""
    return planned(service=live(ports=[{"name": "grpc", "port": 80, "targetPort": 443, "protocol": "TCP"}]))


SCENES: dict[str, Callable[[], Plan]] = {
    "envoy": planned,
    "envoy-low-port": low_port,
    "envoy-refused": lambda: replace(planned(), checks=(GITOPS, *planned().checks)),
    "clients": lambda: CLIENTS,
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_plan_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = render_plan(SCENES[scene](), PLAIN)

    assert got == golden(f"plan-{scene}.txt", got)


def test_the_plan_in_colour_is_the_accepted_one(golden: Golden) -> None:
    got = render_plan(SCENES["envoy-refused"](), Page(width=80, colour=True))

    assert got == golden("plan-envoy-refused-colour.txt", got)


def test_the_plan_in_ascii_is_the_accepted_one(golden: Golden) -> None:
    got = render_plan(SCENES["envoy-refused"](), Page(width=80, colour=False, ascii=True))

    assert got == golden("plan-envoy-refused-ascii.txt", got)


def test_what_stops_the_fix_comes_before_what_is_only_noted() -> None:
    note = replace(GITOPS, level="warn", name="helm")

    shown = render_plan(replace(CLIENTS, checks=(note, GITOPS)), PLAIN)

    assert shown.index("refused (gitops)") < shown.index("note (helm)")


def test_names_of_the_cluster_reach_the_terminal_without_their_escapes() -> None:
    patch = Patch(
        resource="services",
        kind="Service",
        namespace=HOSTILE,
        name=HOSTILE,
        uid="5f0c",
        resource_version="1041",
        fields=(Field(path="/spec/selector", before={"app": HOSTILE}, after={"app": HOSTILE}),),
        why=HOSTILE,
    )
    check = Check(level="refuse", name="mesh", message=HOSTILE, do=HOSTILE)
    restart = Restart(resource="deployments", kind="Deployment", namespace=HOSTILE, name=HOSTILE, why=HOSTILE)
    made = planned().create[0]
    plan = Plan(
        target=Target(context="kind-shop", namespace=HOSTILE, service=HOSTILE, port=80, target_port=HOSTILE),
        strategy="envoy",
        title=HOSTILE,
        findings=(),
        why=(HOSTILE,),
        create=(replace(made, manifest={"kind": HOSTILE, "metadata": {"name": HOSTILE}}, why=HOSTILE),),
        change=patch,
        restart=(restart,),
        wont=(HOSTILE,),
        connections=HOSTILE,
        advice=(Advice(title=HOSTILE, lines=(HOSTILE,)),),
        checks=(check,),
    )

    shown = render_plan(plan, PLAIN)

    assert not {"\x1b", "\x07", "\u202e", "\u2028"} & set(shown)
    assert "greeter\\x1b[2J" in shown


@pytest.mark.parametrize("width", [60, 80, 120])
def test_prose_keeps_to_the_width_of_the_page(width: int) -> None:
    shown = render_plan(planned(), Page(width=width, colour=False))

    assert [line for line in shown.splitlines() if len(line) > width] == []
