"""The flags that say where figures may come from."""

from pathlib import Path

import pytest

from kubectl_grpclb.commands.sources import Sources
from kubectl_grpclb.model.errors import UsageError
from kubectl_grpclb.probes.ask import Ask

ASK = Ask("shop", "greeter")


def asked(**flags: object) -> Ask:
    return Sources(**flags).asked(ASK)  # type: ignore[arg-type]  # each is the flag of that name


def test_without_a_flag_the_cheapest_source_that_answers_is_taken_and_nothing_is_added() -> None:
    assert asked() == ASK
    assert not Sources().changes


@pytest.mark.parametrize(
    ("flags", "via"),
    [
        ({"via": ("metrics,channelz",)}, ("metrics", "channelz")),
        ({"via": ("exec", "metrics,exec")}, ("exec", "metrics")),
        ({"debug": True}, ("auto", "debug")),
        ({"debug": True, "via": ("exec",)}, ("exec", "debug")),
        ({"prometheus": "http://prometheus:9090"}, ("auto", "prometheus")),
        ({"prometheus": "http://prometheus:9090", "via": ("prometheus",)}, ("prometheus",)),
    ],
)
def test_sources_are_named_in_a_list_or_by_the_flag_that_implies_them(
    flags: dict[str, object], via: tuple[str, ...]
) -> None:
    assert asked(**flags).via == via


@pytest.mark.parametrize("flags", [{"debug": True}, {"via": ("debug",)}, {"via": ("auto,node",)}])
def test_only_debug_and_node_may_add_to_the_cluster(flags: dict[str, object]) -> None:
    assert Sources(**flags).changes  # type: ignore[arg-type]  # each is the flag of that name


def test_what_fix_takes_is_what_changes_nothing() -> None:
    given = Sources(via=("auto, node", "exec"), debug=True, debug_image="busybox", node_namespace="looks", tls=True)

    assert given.reading == Sources(via=("auto", "exec"), tls=True)
    assert not given.reading.changes


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"via": ("sockets",)}, "--via takes auto, metrics"),
        ({"via": ("",)}, "--via takes auto, .*, not ''"),
        ({"via": ("exec", " , ")}, "--via takes auto, .*, not ' , '"),
        ({"debug_image": ""}, "--debug-image takes an image such as .*, not ''"),
        ({"via": ("prometheus",)}, "needs --prometheus"),
        ({"metrics_port": "0"}, "--metrics-port"),
        ({"metrics_port": "70000"}, "--metrics-port"),
        ({"metrics_path": "metrics"}, "--metrics-path"),
        ({"metrics_path": "/metrics?token=hunter2"}, "--metrics-path"),
        ({"prometheus_range": "0"}, "--prometheus-range"),
        ({"prometheus_range": "1000h"}, "--prometheus-range"),
        ({"prometheus": "monitoring"}, "--prometheus"),
    ],
)
def test_a_flag_that_cannot_be_meant_is_refused_in_words(flags: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(**flags)


def test_a_name_and_a_password_of_prometheus_go_no_further_than_the_request() -> None:
    assert asked(prometheus="https://jane:secret@prometheus.example.com/base").prometheus == (
        "https://prometheus.example.com/base"
    )


def test_a_port_in_other_digits_is_a_name_that_no_pod_has() -> None:
    assert asked(metrics_port="\N{SUPERSCRIPT TWO}").metrics_port == "\N{SUPERSCRIPT TWO}"


def test_authorities_that_cannot_be_read_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Sources(tls_ca=tmp_path / "ca.pem").tls_options()


def test_authorities_mean_tls_and_a_name_may_stand_beside_them(tmp_path: Path) -> None:
    assert asked(tls_ca=tmp_path / "ca.pem", tls_server_name="greeter.shop").tls
    assert asked(tls=True, tls_server_name="greeter.shop").tls


def test_a_name_for_tls_that_may_be_meant_for_the_api_server_is_refused() -> None:
    message = (
        r"^--tls-server-name is the name in channelz's certificate and needs --tls or --tls-ca; .* in the kubeconfig$"
    )

    with pytest.raises(UsageError, match=message):
        asked(tls_server_name="kubernetes.example")
