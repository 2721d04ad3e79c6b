"""Text stays text for whoever reads the YAML."""

import pytest
import yaml

from kubectl_grpclb.model.yaml_text import yaml_text


@pytest.mark.parametrize("name", ["1e3", "12345e6", "1e+3", "08", "0o17", "0X1F", "0B1", "1_0e3", "y", "N"])
def test_a_name_that_go_takes_for_a_number_or_a_truth_value_is_quoted(name: str) -> None:
    assert yaml_text({"namespace": name}) == f"namespace: '{name}'\n"


@pytest.mark.parametrize("name", ["shop", "e3", "1e3a", "10.0.0.1", "v1.37", "yes-or-no", "0xshop", "0b"])
def test_a_name_that_nobody_takes_for_anything_else_is_not(name: str) -> None:
    assert yaml_text({"namespace": name}) == f"namespace: {name}\n"


@pytest.mark.parametrize("name", ["yes", "null", "1.5", "2026-11-28", "true", "~", "", "- a", "a: b", "#", "1e3\n"])
def test_text_is_read_as_it_was_written(name: str) -> None:
    assert yaml.safe_load(yaml_text({"namespace": name}, compact=True)) == {"namespace": name}
