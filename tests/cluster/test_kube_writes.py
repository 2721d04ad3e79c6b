"""Changes as an API server gets them, and every way in which it may not carry them out."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubectl_grpclb.cluster.kube import KubeWorkshop
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.write import Apply, Delete, Denied, Done, Insert, Outcome, PatchObject, Replace, Write
from tests.cluster.api_server import Conversation, hangs, refuses, says

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "greeter-grpclb-envoy"}, "data": {"a": "b"}}
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "greeter-grpclb", "resourceVersion": "1041"},
}
OPERATIONS = [{"op": "test", "path": "/metadata/resourceVersion", "value": "1041"}]
CONFLICT = {
    "kind": "Status",
    "status": "Failure",
    "message": 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
    "reason": "Conflict",
    "details": {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl" using apps/v1',
                "field": ".spec.replicas",
            }
        ]
    },
    "code": 409,
}


def carried_out(talk: Conversation, write: Write) -> Outcome:
    """Send one change, and check that it left nothing behind."""
    outcome: Outcome = talk.run(lambda cluster: cluster.write(write))
    return outcome


def told(talk: Conversation) -> tuple[str, str, dict[str, str], str]:
    """Say what the API server was asked: method, path, query and the body's type."""
    request = talk.requests[0]
    return request.method, request.path, dict(request.query), request.headers["Content-Type"]


def test_server_side_apply_names_us_and_is_strict_about_fields(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(201, CONFIG_MAP))

    outcome = carried_out(talk, Apply(CONFIG_MAP, "shop"))

    assert outcome == Done(CONFIG_MAP)
    assert told(talk) == (
        "PATCH",
        "/api/v1/namespaces/shop/configmaps/greeter-grpclb-envoy",
        {"fieldManager": "kubectl-grpclb", "fieldValidation": "Strict"},
        "application/apply-patch+yaml",
    )
    assert json.loads(talk.bodies[0]) == CONFIG_MAP


def test_server_side_apply_never_forces(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, CONFIG_MAP))

    carried_out(talk, Apply(CONFIG_MAP, "shop"))

    assert "force" not in talk.requests[0].query


@pytest.mark.parametrize(
    "write",
    [Apply(CONFIG_MAP, "shop", dry_run=True), PatchObject("services", "shop", "greeter", OPERATIONS, dry_run=True)],
    ids=["apply", "patch"],
)
def test_a_dry_run_says_so_to_the_api_server(tmp_path: Path, write: Write) -> None:
    talk = Conversation(tmp_path, says(200, CONFIG_MAP))

    carried_out(talk, write)

    assert talk.requests[0].query["dryRun"] == "All"


def test_a_json_patch_is_sent_as_one(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Service"}))

    carried_out(talk, PatchObject("services", "shop", "greeter", OPERATIONS))

    assert told(talk) == (
        "PATCH",
        "/api/v1/namespaces/shop/services/greeter",
        {"fieldManager": "kubectl-grpclb"},
        "application/json-patch+json",
    )
    assert json.loads(talk.bodies[0]) == OPERATIONS


def test_a_restart_is_a_strategic_patch_of_the_apps_group(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Deployment"}))

    carried_out(talk, PatchObject("deployments", "shop", "caller", {"spec": {}}, "strategic"))

    assert talk.requests[0].path == "/apis/apps/v1/namespaces/shop/deployments/caller"
    assert talk.requests[0].headers["Content-Type"] == "application/strategic-merge-patch+json"


def test_an_insert_is_a_post_to_the_collection(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(201, LEASE))

    carried_out(talk, Insert(LEASE, "shop"))

    assert told(talk)[:2] == ("POST", "/apis/coordination.k8s.io/v1/namespaces/shop/leases")


def test_a_replacement_is_a_put_with_the_version_that_it_replaces(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, LEASE))

    carried_out(talk, Replace(LEASE, "shop"))

    assert told(talk)[:2] == ("PUT", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/greeter-grpclb")
    assert json.loads(talk.bodies[0])["metadata"]["resourceVersion"] == "1041"


def test_a_deletion_is_only_of_the_object_that_was_seen_and_takes_along_what_it_owns(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Status", "status": "Success"}))

    carried_out(talk, Delete("deployments", "shop", "greeter-grpclb-envoy", "5f0c"))

    assert told(talk)[:2] == ("DELETE", "/apis/apps/v1/namespaces/shop/deployments/greeter-grpclb-envoy")
    assert json.loads(talk.bodies[0]) == {"propagationPolicy": "Background", "preconditions": {"uid": "5f0c"}}


def test_a_deletion_in_the_foreground_lets_what_the_object_owns_go_first(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Deployment"}))

    carried_out(talk, Delete("deployments", "shop", "greeter-grpclb-envoy", "5f0c", foreground=True))

    assert json.loads(talk.bodies[0]) == {"propagationPolicy": "Foreground", "preconditions": {"uid": "5f0c"}}


def test_a_name_cannot_lead_to_another_path(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "Service"}))

    carried_out(talk, PatchObject("services", "shop", "../../secrets/token", OPERATIONS))

    assert talk.requests[0].rel_url.raw_path == "/api/v1/namespaces/shop/services/..%2F..%2Fsecrets%2Ftoken"


def test_a_conflict_says_which_field_is_whose(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(409, CONFLICT))

    outcome = carried_out(talk, Apply(CONFIG_MAP, "shop"))

    assert isinstance(outcome, Denied)
    assert outcome.status == 409
    assert outcome.causes == ('conflict with "kubectl" using apps/v1 .spec.replicas',)


def test_a_change_that_is_forbidden_is_denied_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    message = 'services "greeter" is forbidden: User "dev" cannot patch resource "services"'
    talk = Conversation(tmp_path, refuses(403, message))

    outcome = carried_out(talk, PatchObject("services", "shop", "greeter", OPERATIONS))

    assert outcome == Denied(403, GapReason.FORBIDDEN, message)


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422, 500, 504])
def test_whatever_else_the_api_server_refuses_is_denied_with_its_status(tmp_path: Path, status: int) -> None:
    talk = Conversation(tmp_path, refuses(status, "the server rejected our request"))

    outcome = carried_out(talk, PatchObject("services", "shop", "greeter", OPERATIONS))

    assert outcome == Denied(status, GapReason.DIED, "the server rejected our request")


def test_a_busy_server_is_asked_again_as_it_did_nothing(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(429, "too many requests", **{"Retry-After": "0"}), says(201, LEASE))

    assert carried_out(talk, Insert(LEASE, "shop")) == Done(LEASE)
    assert talk.bodies[0] == talk.bodies[1]


async def breaks(request: web.Request) -> web.StreamResponse:
    """End the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionError


def test_a_connection_that_breaks_leaves_open_whether_it_was_carried_out(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, breaks)

    with pytest.raises(ClusterError):
        carried_out(talk, Insert(LEASE, "shop"))

    assert len(talk.requests) == 1


def test_a_server_that_hangs_is_given_up_after_the_request_timeout(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, hangs, request_timeout=0.2)

    with pytest.raises(ClusterError, match=r"no answer within 0.2 s"):
        carried_out(talk, Insert(LEASE, "shop"))


def test_expired_credentials_end_everything(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(401, "Unauthorized"))

    with pytest.raises(ClusterError, match="refused your credentials"):
        carried_out(talk, Apply(CONFIG_MAP, "shop"))


@pytest.mark.parametrize("body", ["<!doctype html><title>Sign in</title>", "null", "[]", '"ok"', "no json"])
def test_an_answer_that_is_no_object_is_not_taken_for_success(tmp_path: Path, body: str) -> None:
    talk = Conversation(tmp_path, says(200, body))

    with pytest.raises(ClusterError, match="not a Kubernetes API server"):
        carried_out(talk, Apply(CONFIG_MAP, "shop"))


def test_a_whole_object_is_fetched_with_the_fields_that_no_snapshot_keeps(tmp_path: Path) -> None:
    service = {"kind": "Service", "metadata": {"name": "greeter", "managedFields": [{}]}, "spec": {"new": {"field": 1}}}
    talk = Conversation(tmp_path, says(200, service))

    assert talk.run(lambda cluster: cluster.fetch("services", "shop", "greeter")) == Done(service)


def test_objects_are_fetched_by_their_labels(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "PodList", "items": []}))

    talk.run(lambda cluster: cluster.fetch_all("pods", "shop", "grpclb/part=envoy,grpclb/service=greeter"))

    assert talk.requests[0].path == "/api/v1/namespaces/shop/pods"
    assert talk.requests[0].query["labelSelector"] == "grpclb/part=envoy,grpclb/service=greeter"


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (201, {"status": {"allowed": True}}, True),
        (201, {"status": {"allowed": False, "reason": "no"}}, False),
        (201, {"status": {}}, False),
        (403, {"message": "forbidden"}, None),
        (404, {"message": "not found"}, None),
    ],
)
def test_whether_the_user_may_is_what_the_access_review_says(
    tmp_path: Path, status: int, body: Any, answer: bool | None
) -> None:
    talk = Conversation(tmp_path, says(status, body))

    assert talk.run(lambda cluster: cluster.may("create", "pods/portforward", "shop")) is answer


def test_an_access_review_may_be_of_one_object_or_of_every_namespace(tmp_path: Path) -> None:
    async def ask(cluster: KubeWorkshop) -> None:
        await cluster.may("patch", "services", "shop", "greeter")
        await cluster.may("list", "podmetrics", "")

    allowed = says(201, {"status": {"allowed": True}})
    talk = Conversation(tmp_path, allowed, allowed)

    talk.run(ask)

    named, of_all = (json.loads(body)["spec"]["resourceAttributes"] for body in talk.bodies)
    assert (named["resource"], named["name"]) == ("services", "greeter")
    assert (of_all["group"], of_all["resource"], of_all["namespace"]) == ("metrics.k8s.io", "pods", "")


def test_an_access_review_names_group_resource_and_subresource(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, says(201, {"status": {"allowed": True}}))

    talk.run(lambda cluster: cluster.may("delete", "poddisruptionbudgets", "shop"))

    assert talk.requests[0].path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert json.loads(talk.bodies[0])["spec"]["resourceAttributes"] == {
        "namespace": "shop",
        "verb": "delete",
        "group": "policy",
        "resource": "poddisruptionbudgets",
        "subresource": "",
    }


@pytest.mark.parametrize(
    ("status", "body", "served"),
    [
        (200, {"resources": [{"name": "grpcroutes"}, {"name": "gateways"}]}, True),
        (200, {"resources": [{"name": "gateways"}]}, False),
        (200, {"resources": None}, False),
        (404, {"message": "not found"}, False),
        (403, {"message": "forbidden"}, False),
    ],
)
def test_a_resource_is_served_where_the_cluster_lists_it(tmp_path: Path, status: int, body: Any, served: bool) -> None:
    talk = Conversation(tmp_path, says(status, body))

    assert talk.run(lambda cluster: cluster.serves("gateway.networking.k8s.io/v1", "grpcroutes")) is served
