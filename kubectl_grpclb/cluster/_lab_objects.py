"""The lab as Kubernetes objects: a Service, its EndpointSlice, its pods on one node, and what these belong to."""

from kubectl_grpclb.model.plan import Manifest
from kubectl_grpclb.model.topology import LabClient, LabServer, Topology

__all__ = ["endpoint", "node", "pod", "service", "slice_of", "workload"]

_NODE = "localhost"
_NODE_IP = "127.0.0.1"


def service(lab: Topology) -> Manifest:
    """Give the Service that selects the lab's servers."""
    app, _, _ = _owners(lab.servers[0].name)
    address = lab.cluster_ip or "None"
    port = {"name": "grpc", "port": lab.port, "targetPort": lab.target_port, "appProtocol": "grpc"}
    return {
        "metadata": {"name": lab.service, "namespace": lab.namespace},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": app},
            "ports": [port],
            "clusterIP": address,
            "clusterIPs": [address],
            "ipFamilies": ["IPv4"],
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
        },
    }


def slice_of(lab: Topology, endpoints: list[Manifest]) -> Manifest:
    """Give the Service's only EndpointSlice."""
    return {
        "metadata": {
            "name": f"{lab.service}-lab",
            "namespace": lab.namespace,
            "labels": {"kubernetes.io/service-name": lab.service},
        },
        "endpoints": endpoints,
        "ports": [{"name": "grpc", "port": lab.target_port, "protocol": "TCP", "appProtocol": "grpc"}],
    }


def endpoint(lab: Topology, server: LabServer, *, runs: bool) -> Manifest:
    """Give a server's entry in it."""
    return {
        "addresses": [server.ip],
        "conditions": {"ready": runs, "serving": runs, "terminating": False},
        "targetRef": {"kind": "Pod", "name": server.name, "namespace": lab.namespace},
        "nodeName": _NODE,
    }


def pod(lab: Topology, member: LabServer | LabClient, *, created: str | None, runs: bool) -> Manifest:
    """Show a process as a pod; `created` is RFC 3339, None of a process that had ended before anybody looked."""
    app, template, replica_set = _owners(member.name)
    ports = [{"name": "grpc", "containerPort": lab.target_port}]
    return {
        "metadata": {
            "name": member.name,
            "namespace": lab.namespace,
            "creationTimestamp": created,
            "labels": {"app": app, "pod-template-hash": template},
            "ownerReferences": [{"kind": "ReplicaSet", "name": replica_set, "controller": True}],
        },
        "spec": {
            "nodeName": _NODE,
            "containers": [{"name": app, "ports": ports if isinstance(member, LabServer) else None}],
        },
        "status": {
            "phase": "Running" if runs else "Failed",
            "podIP": member.ip,
            "podIPs": [{"ip": member.ip}],
            "hostIP": _NODE_IP,
            "conditions": [{"type": "Ready", "status": str(runs)}],
            "containerStatuses": [
                {"name": app, "ready": runs, "state": {"running": {}} if runs else {"terminated": {}}}
            ],
        },
    }


def node() -> Manifest:
    """Give this machine."""
    return {
        "metadata": {"name": _NODE},
        "status": {"addresses": [{"type": "InternalIP", "address": _NODE_IP}]},
    }


def workload(lab: Topology, resource: str, pod: str, replicas: int) -> Manifest:
    """Give what a pod, and its like, belongs to: the `deployments` or `replicasets` object."""
    app, template, replica_set = _owners(pod)
    metadata: Manifest = {"name": app, "namespace": lab.namespace, "labels": {"app": app}}
    if resource == "replicasets":
        metadata |= {
            "name": replica_set,
            "labels": {"app": app, "pod-template-hash": template},
            "ownerReferences": [{"kind": "Deployment", "name": app, "controller": True}],
        }
    return {"metadata": metadata, "spec": {"replicas": replicas}}


def _owners(pod: str) -> tuple[str, str, str]:
    """Give the Deployment, the template's hash and the ReplicaSet that a pod's name tells of."""
    replica_set = pod.rpartition("-")[0]
    app, _, template = replica_set.rpartition("-")
    return app, template, replica_set
