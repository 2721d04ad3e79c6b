"""Values that cannot be meant, as a script's variable that is not set: refused before anything is asked or done."""

import pytest

from tests.commands.line import Run
from tests.fake_workshop import FakeWorkshop

DOMAINS = [
    "",
    "cluster local",
    "cluster..local",
    "-cluster.local",
    "cluster.local.",
    "cluster.local\n",
    "kluster.lökal",
]
IMAGES = ["", " ", "envoy v1", "envoy:v1\n", "\x1b[2Jenvoy", "envoy\u202e:v1"]


@pytest.mark.parametrize("verb", ["diagnose", "record", "verify", "fix"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_cluster_domain_that_is_no_dns_name_is_refused(
    shop: FakeWorkshop, grpclb: Run, verb: str, domain: str
) -> None:
    code, out, err = grpclb(verb, "greeter", "--cluster-domain", domain)

    assert (code, out) == (2, "")
    assert err.startswith("error: --cluster-domain takes a DNS name such as cluster.local, of letters, digits")
    assert shop.requests == []


@pytest.mark.parametrize("verb", ["diagnose", "record", "verify", "rbac"])
@pytest.mark.parametrize("image", IMAGES)
def test_an_image_for_a_look_that_cannot_be_one_is_refused(
    shop: FakeWorkshop, grpclb: Run, verb: str, image: str
) -> None:
    code, out, err = grpclb(verb, {"rbac": "diagnose"}.get(verb, "greeter"), "--debug", "--debug-image", image)

    assert (code, out) == (2, "")
    assert err.startswith("error: --debug-image takes an image such as")
    assert shop.requests == []


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_of_envoy_that_cannot_be_one_is_refused(shop: FakeWorkshop, grpclb: Run, image: str) -> None:
    code, out, err = grpclb("fix", "greeter", "--yes", "--envoy-image", image)

    assert (code, out) == (2, "")
    assert err.startswith("error: --envoy-image takes an image such as")
    assert err.rstrip("\n").isprintable()
    assert shop.requests == []


@pytest.mark.parametrize("verb", ["diagnose", "record", "verify", "fix", "rbac"])
def test_sources_of_which_none_is_named_are_refused(shop: FakeWorkshop, grpclb: Run, verb: str) -> None:
    code, out, err = grpclb(verb, {"rbac": "diagnose"}.get(verb, "greeter"), "--via", "")

    assert (code, out) == (2, "")
    assert err.startswith("error: --via takes auto, metrics")
    assert shop.requests == []


def test_an_image_by_digest_at_an_address_is_one(shop: FakeWorkshop, grpclb: Run) -> None:
    image = "[2001:db8::1]:5000/team_a/envoy@sha256:" + "0" * 64

    code, out, err = grpclb("fix", "greeter", "--strategy", "envoy", "--dry-run", "--envoy-image", image)

    assert code == 0, err
    assert image in out
