"""What a user may choose of Envoy."""

from typing import Any

import msgspec
import pytest

from kubectl_grpclb.remedies.envoy.options import EnvoyOptions


@pytest.mark.parametrize("choice", [{"replica": 3}, {"autoscaling": {"maximum": 6}}], ids=str)
def test_a_choice_that_there_is_not_is_an_error_and_not_forgotten(choice: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(choice, EnvoyOptions)
