"""Every situation as its reader sees it; read the differences after `pytest --update`."""

from collections.abc import Callable

import pytest

from kubectl_grpclb.report import FORMATS, Page
from tests.report.scenes import SCENES

Golden = Callable[[str, str], str]


@pytest.mark.parametrize("scene", SCENES)
def test_the_table_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = FORMATS["table"]([SCENES[scene]()], Page(width=80, colour=False))

    assert got == golden(f"{scene}.table.txt", got)


@pytest.mark.parametrize("scene", ["sticky", "mixed", "folded"])
def test_the_table_on_a_broad_terminal_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = FORMATS["table"]([SCENES[scene]()], Page(width=120, colour=False))

    assert got == golden(f"{scene}.table-120.txt", got)


@pytest.mark.parametrize("scene", ["sticky", "mixed", "hostile"])
def test_the_table_in_colour_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = FORMATS["table"]([SCENES[scene]()], Page(width=80, colour=True))

    assert got == golden(f"{scene}.table-colour.txt", got)


@pytest.mark.parametrize("scene", ["balanced", "folded", "hostile"])
def test_the_table_in_ascii_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = FORMATS["table"]([SCENES[scene]()], Page(width=80, colour=False, ascii=True))

    assert got == golden(f"{scene}.table-ascii.txt", got)


@pytest.mark.parametrize("scene", ["sticky", "idle", "mixed", "folded", "hostile", "dual-stack", "proxied"])
def test_wide_is_the_accepted_one(scene: str, golden: Golden) -> None:
    got = FORMATS["wide"]([SCENES[scene]()], Page(width=80, colour=False))

    assert got == golden(f"{scene}.wide.txt", got)


@pytest.mark.parametrize("output", ["json", "yaml"])
@pytest.mark.parametrize("scene", ["sticky", "distroless", "scaled-up", "hostile", "no-endpoints", "proxied"])
def test_data_is_the_accepted_one(scene: str, output: str, golden: Golden) -> None:
    got = FORMATS[output]([SCENES[scene]()], Page(width=80, colour=False))

    assert got == golden(f"{scene}.{output}", got)


@pytest.mark.parametrize(("output", "ending"), [("table", "txt"), ("json", "json"), ("yaml", "yaml")])
def test_a_list_of_reports_is_the_accepted_one(output: str, ending: str, golden: Golden) -> None:
    got = FORMATS[output]([SCENES["idle"](), SCENES["balanced"]()], Page(width=80, colour=False))

    assert got == golden(f"list.{ending}", got)
