"""The situations that the golden files show."""

from kubectl_grpclb.model.finding import Finding, Report
from tests.report.builders import (
    DENIED,
    TIMED_OUT,
    balance,
    client,
    clients,
    codes,
    envoy,
    finding,
    nothing_measured,
    pod,
    pods,
    proxy_host,
    report,
    skipped,
    target,
    tier,
    unread,
    weighed,
)

RESTART = "kubectl rollout restart deployment/caller -n shop"
EXPOSE = (
    "kubectl expose service greeter -n shop --name=greeter-headless --cluster-ip=None --port=50051 --target-port=50051"
)


def _sticking(evidence: tuple[str, ...]) -> Finding:
    return finding(
        "GLB101",
        confidence="medium",
        message=(
            "Both connections of caller-6d5b8c9f4-p4m8t and caller-6d5b8c9f4-w7l2h landed on "
            "greeter-7c9f8d5b6-x2x9k. 2 of 3 ready pods get nothing (greeter-7c9f8d5b6-b8v4z and "
            "greeter-7c9f8d5b6-k7p2m), and they will not until a client reconnects. kube-proxy picks a pod once "
            "a connection, at random, and a gRPC channel keeps its connection and sends every request over it."
        ),
        evidence=evidence,
        next=(EXPOSE, RESTART),
    )


def sticky() -> Report:
    evidence = (
        "greeter-7c9f8d5b6-x2x9k: 2 connections that lasted (ss in the pod)",
        "greeter-7c9f8d5b6-b8v4z: 0 connections that lasted (ss in the pod)",
        "greeter-7c9f8d5b6-k7p2m: 0 connections that lasted (ss in the pod)",
        "caller-6d5b8c9f4-p4m8t (10.244.2.30): 1 connection, to 1 of 3 pods",
        "caller-6d5b8c9f4-w7l2h (10.244.2.31): 1 connection, to 1 of 3 pods",
        "placed at random, the same connections would be spread this unevenly or worse 33% of the time",
    )
    fewer = finding(
        "GLB102",
        title="Fewer connections than pods",
        severity="warning",
        confidence="medium",
        message=(
            "2 connections for 3 ready pods leave at least 1 of them without any, however they are placed. More "
            "pods do not help until there are more connections, or requests are balanced instead of connections."
        ),
        evidence=(
            "2 connections lasted through the look, from caller-6d5b8c9f4-p4m8t and caller-6d5b8c9f4-w7l2h",
            "3 pods are ready",
        ),
    )
    return report(
        "unbalanced",
        reason=("the 3 ready pods do the work of 1.0; the busiest has 100% of the connections, and 2 get nothing"),
        balance=weighed([2, 0, 0], 1 / 3),
        pods=pods([2, 0, 0]),
        clients=(client("caller-6d5b8c9f4-p4m8t", ip="10.244.2.30"), client()),
        findings=(_sticking(evidence), fewer),
        skipped=(skipped("GLB204", "list nodes was refused, so zones are not known"),),
    )


def balanced() -> Report:
    return report(
        "balanced",
        reason="the bytes received are spread over 3 ready pods, which do the work of 3.0",
        balance=weighed([29, 32, 35], 0.91, "bytes"),
        pods=(
            pod("greeter-7c9f8d5b6-x2x9k", connections=1, share=29 / 96, bytes_per_second=29_310.4),
            pod("greeter-7c9f8d5b6-b8v4z", connections=1, share=32 / 96, bytes_per_second=32_004.0, node="worker-2"),
            pod("greeter-7c9f8d5b6-k7p2m", connections=1, share=35 / 96, bytes_per_second=35_871.9, node="worker-3"),
        ),
        clients=(client("envoy-5f7d9c-9sl4d", namespace="edge", owner="Deployment/envoy", connections=3, pods=3),),
    )


def idle() -> Report:
    return report(
        "idle",
        reason="no client is connected to any of the 3 ready pods",
        balance=balance(idle=3, max_over_mean=None, effective_pods=None, chance=None),
        pods=pods([0, 0, 0], age_seconds=3 * 3600),
    )


def distroless() -> Report:
    names = [f"greeter-7c9f8d5b6-{code}" for code in codes(3)]
    unable = finding(
        "GLB902",
        title="Pods have no shell to look from",
        severity="info",
        message="No container of these pods has a shell, so what they carry is not known. It is not zero.",
        evidence=tuple(f'{name}: exec: "sh": executable file not found in $PATH' for name in names),
        remedies=(),
        next=("kubectl grpclb diagnose greeter -n shop --debug",),
    )
    return report(
        "inconclusive",
        reason="none of the 3 ready pods could be looked into",
        balance=nothing_measured(3),
        pods=tuple(unread(name) for name in names),
        findings=(unable,),
        skipped=(
            skipped("GLB101", "no pod could be looked into"),
            skipped("GLB102", "no pod could be looked into"),
            skipped("GLB104", "no pod could be looked into"),
        ),
    )


def scaled_up() -> Report:
    rows = pods([8, 0, 0, 0])
    late = finding(
        "GLB104",
        title="Pods added later stay idle",
        message=(
            "The 3 youngest pods (greeter-7c9f8d5b6-b8v4z, greeter-7c9f8d5b6-k7p2m and greeter-7c9f8d5b6-4x2kp) "
            "have none of the 8 connections; the pod that was there before has the rest. Chance would leave "
            "them so little about once in 65,000 times. A channel keeps the connections that it has and looks "
            "for new pods only when one closes, so added pods stay idle until clients reconnect."
        ),
        evidence=(
            "greeter-7c9f8d5b6-x2x9k, 2d old: 8 connections",
            "greeter-7c9f8d5b6-b8v4z, 3m old: 0 connections (added later)",
            "greeter-7c9f8d5b6-k7p2m, 3m old: 0 connections (added later)",
            "greeter-7c9f8d5b6-4x2kp, 3m old: 0 connections (added later)",
        ),
        next=(RESTART,),
    )
    return report(
        "unbalanced",
        reason="the 4 ready pods do the work of 1.0; the busiest has 100% of the connections, and 3 get nothing",
        balance=weighed([8, 0, 0, 0], 4**-7),
        pods=(
            pod("greeter-7c9f8d5b6-x2x9k", connections=8, share=1.0, age_seconds=2 * 86400 + 3600),
            *(
                pod(row.name, ip=row.ip, node="gke-shop-default-pool-3f9a1c2b-x7z2", age_seconds=199)
                for row in rows[1:]
            ),
        ),
        clients=clients(8),
        findings=(late,),
    )


def mixed() -> Report:
    nodes = [f"ip-10-0-{number}-31.eu-west-1.compute.internal" for number in (12, 13, 14)]
    return report(
        "inconclusive",
        reason="3 of 5 ready pods could not be read, and what they carry could change the verdict",
        balance=balance(pods=5, unread=3, max_over_mean=1.5, effective_pods=1.6, chance=None),
        pods=(
            pod("greeter-7c9f8d5b6-x2x9k", connections=3, share=0.75, node=nodes[0]),
            pod("greeter-7c9f8d5b6-b8v4z", connections=1, share=0.25, node=nodes[1]),
            unread("greeter-7c9f8d5b6-k7p2m", DENIED.format("greeter-7c9f8d5b6-k7p2m"), node=nodes[2]),
            unread("greeter-7c9f8d5b6-4x2kp", TIMED_OUT, node=nodes[0]),
            unread("greeter-7c9f8d5b6-zq6tn", DENIED.format("greeter-7c9f8d5b6-zq6tn"), node=nodes[1]),
            pod("greeter-5f8c7d9-hd5wl", connections=1, share=None, ready=False, terminating=True, node=nodes[0]),
            pod("greeter-7c9f8d5b6-9rfcs", ready=False, share=None, node=nodes[2], age_seconds=41),
            unread(
                "greeter-7c9f8d5b6-m6j8v",
                "unread: the pod is not running (ImagePullBackOff)",
                ready=False,
                ip="",
                node=None,
                zone=None,
                age_seconds=12,
            ),
        ),
        clients=(
            client(connections=4, pods=3),
            client("worker-2", namespace=None, kind="Node", owner=None, ip="172.18.0.4"),
            client("10.0.7.12", namespace=None, kind="Address", owner=None, ip="10.0.7.12"),
        ),
        findings=(
            finding(
                "GLB206",
                title="Endpoints that are not ready still hold connections",
                severity="warning",
                message=(
                    "greeter-5f8c7d9-hd5wl is not ready and gets no new connections, but 1 connection that was "
                    "open before is still there, and calls still go over it."
                ),
                evidence=("greeter-5f8c7d9-hd5wl: terminating, 1 connection",),
                subject="Pod/shop/greeter-5f8c7d9-hd5wl",
                next=(RESTART,),
            ),
        ),
    )


def thirty() -> Report:
    held = [9, 8, 7, 7, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, *[0] * 12]
    rows = pods(held)
    sticking = finding(
        "GLB101",
        confidence="medium",
        message=(
            "The 71 connections of 71 clients landed unevenly: greeter-7c9f8d5b6-x2x9k holds 9 of them. 12 of 30 "
            "ready pods get nothing, and they will not until a client reconnects."
        ),
        evidence=tuple(f"{row.name}: {row.connections} connections that lasted (ss in the pod)" for row in rows),
        next=(EXPOSE,),
    )
    return report(
        "unbalanced",
        reason="the 30 ready pods do the work of 12.8; the busiest has 13% of the connections, and 12 get nothing",
        balance=weighed(held, 0.0000154),
        pods=rows,
        clients=clients(71),
        findings=(sticking,),
    )


def folded() -> Report:
    held = [
        31,
        24,
        22,
        19,
        17,
        16,
        15,
        15,
        14,
        13,
        13,
        13,
        *(3 + place % 10 for place in range(96)),
        *[1] * 5,
        *[0] * 7,
    ]
    rows = pods(held, age_seconds=26 * 3600)
    added = finding(
        "GLB101",
        confidence="medium",
        message=(
            "The 925 connections of 64 clients landed unevenly: greeter-7c9f8d5b6-x2x9k holds 31 of them. 7 of "
            "120 ready pods get nothing, and they will not until a client reconnects."
        ),
        evidence=tuple(f"{row.name}: {row.connections} connections that lasted (ss in the pod)" for row in rows),
        next=(EXPOSE, RESTART),
    )
    return report(
        "unbalanced",
        reason="the 120 ready pods do the work of 84.8; the busiest has 3% of the connections, and 7 get nothing",
        balance=weighed(held, 1.2e-9),
        pods=rows,
        clients=clients(64),
        findings=(added,),
    )


def hostile() -> Report:
    return report(
        "unbalanced",
        target=target(service="[bold]greeter[/bold]", context="\x1b]0;owned\x07prod", namespace="sh\u202eop"),
        reason="the busiest\nhas \x9b31meverything :smile: {0} %s",
        balance=weighed([3, 1, 1, 0], 0.2),
        pods=(
            pod("\x1b[31mgreeter\x1b[0m-x2x9k", connections=3, share=0.6, node="wor\u2066ker"),
            pod("[red]x[/red]", connections=1, share=0.2, owner="Deployment/[link=http://evil]x"),
            pod("挨拶サーバー-7c9f8d5b6-問候服務器-k7p2m", connections=1, share=0.2, node="節點一"),
            pod("greeter\n\x7f\u2028-zq6tn", node="worker-1 "),
        ),
        clients=(client("cal\u200bler\r\x08", namespace="\x9b2J", connections=5, pods=3),),
        findings=(
            finding(
                message="first line\nsecond\tline \x1b[2J\u202egnorw",
                evidence=("\x1b[1A[blink]evidence[/blink]",),
                next=("kubectl get pods -l 'app=\x1b[8mhidden'",),
            ),
        ),
        skipped=(skipped("GLB204", "\ufeffreason\x85"),),
    )


def dual_stack() -> Report:
    return report(
        "unbalanced",
        target=target(port=None, target_port="grpc"),
        window_seconds=0.0,
        reason="the 2 ready pods do the work of 1.0; the busiest has 100% of the connections, and 1 gets nothing",
        balance=weighed([4, 0], 0.125),
        pods=(
            pod("greeter-0", ip="fd00:10:244:1::11", connections=4, share=1.0, age_seconds=9 * 86400),
            pod("fd00:10:244:2::2f3a", ip="fd00:10:244:2::2f3a", node=None, zone=None, owner=None, age_seconds=None),
        ),
        clients=(
            client(
                "fd00:10:244:7::1234:5678:9abc",
                ip="fd00:10:244:7::1234:5678:9abc",
                kind="Address",
                owner=None,
                connections=4,
            ),
        ),
        findings=(
            finding(
                confidence="medium",
                message="The 4 connections of fd00:10:244:7::1234:5678:9abc all landed on greeter-0.",
                evidence=("greeter-0: 4 connections that lasted (proc in the pod)",),
            ),
        ),
    )


def no_endpoints() -> Report:
    nothing = finding(
        "GLB205",
        title="The selector matches no pod",
        message="The Service selects app=greeter, and no pod of the namespace has that label.",
        evidence=("greeter-7c9f8d5b6-x2x9k has app=greeter-v2",),
        remedies=(),
        next=("kubectl get pods -n shop --show-labels",),
    )
    return report(
        "inconclusive",
        reason="the Service has no ready endpoint",
        balance=balance(signal=None, pods=0, idle=None, max_over_mean=None, effective_pods=None, chance=None),
        findings=(nothing,),
    )


def proxied() -> Report:
    rows = tuple(
        unread(f"greeter-7c9f8d5b6-{code}", share=1 / 3, requests_per_second=33.4, sources=("envoy",))
        for code in codes(3)
    )
    return report(
        "balanced",
        reason=(
            "the requests that come through Envoy are spread over 3 ready pods, which do the work of 3.0; connections "
            "past it could not be seen"
        ),
        balance=weighed([167, 167, 167], 1.0, "requests"),
        pods=rows,
        tiers=(
            tier(
                envoy(connections=2, hosts=tuple(map(proxy_host, rows))),
                envoy(
                    "greeter-grpclb-envoy-6b7f9c8d4-e2e2e",
                    connections=None,
                    gap=TIMED_OUT,
                    node="worker-2",
                    hosts=None,
                ),
                envoy("greeter-grpclb-envoy-6b7f9c8d4-e3e3e", ready=False, age_seconds=4, node="worker-3"),
            ),
        ),
    )


SCENES = {
    "sticky": sticky,
    "balanced": balanced,
    "idle": idle,
    "distroless": distroless,
    "scaled-up": scaled_up,
    "mixed": mixed,
    "thirty": thirty,
    "folded": folded,
    "hostile": hostile,
    "dual-stack": dual_stack,
    "no-endpoints": no_endpoints,
    "proxied": proxied,
}
