"""Which versions of Kubernetes are those that this was tried with, as distributions write them."""

import pytest

from kubectl_grpclb.model.server import Age, age_of


@pytest.mark.parametrize(
    ("version", "age"),
    [
        ("v1.26.15", "older"),
        ("v1.9.11", "older"),
        ("v1.27.0", "tried"),
        ("v1.27.3-gke.100", "tried"),
        ("v1.30.4+k3s1", "tried"),
        ("v1.37.2", "tried"),
        ("v1.38.0-alpha.1", "newer"),
        ("v2.0.0", "newer"),
        ("1.33", "tried"),
        ("", None),
        ("v1", None),
        ("v1.x", None),
        ("v1.99999999999", None),
        ("<html>", None),
    ],
)
def test_a_server_is_as_old_as_its_first_two_numbers(version: str, age: Age | None) -> None:
    assert age_of(version) == age
