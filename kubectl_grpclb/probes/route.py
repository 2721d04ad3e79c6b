"""Where the Service leads: straight to its servers, or through the Envoys of a fix."""

from collections.abc import Sequence

from msgspec import Struct

from kubectl_grpclb.model import facts, kube
from kubectl_grpclb.model.bundle import FOR_CLIENTS, PART_LABEL, bundle_of, is_ours
from kubectl_grpclb.model.gap import Gap, GapReason
from kubectl_grpclb.model.snapshot import Get, List, Reading, Refused
from kubectl_grpclb.probes.ask import Ask, found, readings_of
from kubectl_grpclb.probes.endpoints import OVER, Backend, backends, request_slices, selected, selector_text
from kubectl_grpclb.probes.service import read_service_behind

__all__ = ["Ends", "ends_of", "request_behind", "request_headless"]


class Ends(Struct, frozen=True):
    """What is at the end of the way, and what stands on it."""

    bundle: facts.Bundled
    service: facts.Service | Gap | None
    """The Service whose endpoints are the servers. Behind Envoys that is the headless one, None where it does not
    exist any more and a Gap where it could not be read."""
    servers: tuple[Backend, ...]
    envoys: tuple[Backend, ...]

    @property
    def selector(self) -> dict[str, str]:
        """What selects the servers; empty where nothing does."""
        return self.service.selector if isinstance(self.service, facts.Service) else {}


def request_headless(ask: Ask) -> Get:
    """Ask for the headless Service that a fix would have made; as a rule there is none."""
    return Get(resource="services", name=bundle_of(ask.service).headless, namespace=ask.namespace)


def request_behind(readings: Sequence[Reading], ask: Ask, service: facts.Service) -> list[List]:
    """Ask for the endpoints and pods behind a fix, where one is there and the Service leads elsewhere."""
    headless = _headless(readings, ask)
    if headless is None or (headless.spec.selector or {}) == service.selector:
        return []
    labels = selector_text(headless.spec.selector or {})
    return [
        request_slices(ask, headless.metadata.name),
        List(resource="pods", namespace=ask.namespace, label_selector=labels),
    ]


def ends_of(readings: Sequence[Reading], ask: Ask, service: facts.Service) -> Ends:
    """Tell from the Service's selector, the pods that it selects and the headless Service."""
    headless, own = _headless(readings, ask), tuple(backends(readings, ask, service))
    if not _selects_envoys(readings, ask, service):
        return Ends("bypassed" if headless is not None and _is_envoys(headless) else "none", service, own, ())
    if headless is None:
        return Ends("in use", _missing(readings, ask), (), own)
    behind = read_service_behind(headless, service)
    return Ends("in use", behind, tuple(backends(readings, ask, behind, headless.metadata.name)), own)


def _headless(readings: Sequence[Reading], ask: Ask) -> kube.Service | None:
    name = bundle_of(ask.service).headless
    services = (each for each in found(readings, "services", kube.Service) if each.metadata.name == name)
    return next((each for each in services if is_ours(each.metadata, ask.service)), None)


def _is_envoys(headless: kube.Service) -> bool:
    """Tell Envoy's headless Service from one that `fix --strategy headless` made for clients."""
    return (headless.metadata.labels or {}).get(PART_LABEL) != FOR_CLIENTS


def _selects_envoys(readings: Sequence[Reading], ask: Ask, service: facts.Service) -> bool:
    """Go by the pods' labels; without pods by the name that the cut-over puts into the selector."""
    pods = [
        pod
        for pod in found(readings, "pods", kube.Pod)
        if pod.metadata.namespace in {None, ask.namespace} and selected(pod, service) and pod.status.phase not in OVER
    ]
    if pods:
        return all(is_ours(pod.metadata, ask.service) for pod in pods)
    return bundle_of(ask.service).envoy in service.selector.values()


def _missing(readings: Sequence[Reading], ask: Ask) -> Gap | None:
    """Say why the headless Service is not among what was read; None where there is none."""
    wanted = request_headless(ask)
    answer = next((each.answer for each in readings_of(readings, "services") if each.request == wanted), None)
    if answer is None:
        return Gap(GapReason.UNREAD, f"Service {wanted.name} was not asked for")
    if not isinstance(answer, Refused):
        return Gap(GapReason.GARBLED, f"Service {wanted.name} is there, but without the labels of a fix")
    return None if answer.is_missing else Gap(answer.reason, answer.message)
