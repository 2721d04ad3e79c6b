import pytest

from release.project import ReleaseError
from release.tag import news

CHANGELOG = """\
# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- `fix` cures.

## [0.1.0] - 2026-11-23

- `diagnose` tells.
"""


def test_a_tag_that_fits_gives_what_is_new() -> None:
    assert news("v0.2.0", "0.2.0", CHANGELOG) == "### Added\n\n- `fix` cures.\n"


def test_the_first_release_has_no_section_after_its_own() -> None:
    assert (
        news("v0.1.0", "0.1.0", "# Changelog\n\n## [0.1.0] - 2026-11-23\n\n- `diagnose` tells.\n")
        == "- `diagnose` tells.\n"
    )


@pytest.mark.parametrize("tag", ["v0.1.0", "0.2.0", "v0.2.0-rc.1"])
def test_a_tag_of_another_version_is_refused(tag: str) -> None:
    with pytest.raises(ReleaseError, match=rf"the tag is {tag}, but .* says 0\.2\.0: tag v0\.2\.0"):
        news(tag, "0.2.0", CHANGELOG)


def test_changes_that_are_left_unreleased_are_refused() -> None:
    left = CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n- `watch` waits.\n")

    with pytest.raises(ReleaseError, match=r"changes under Unreleased: give them to \[0\.2\.0\]"):
        news("v0.2.0", "0.2.0", left)


@pytest.mark.parametrize("heading", ["## [0.3.0] - 2026-12-01", "## [0.2.0]", "## [0.2.0] - soon"])
def test_a_changelog_without_the_version_and_its_date_is_refused(heading: str) -> None:
    without = CHANGELOG.replace("## [0.2.0] - 2026-12-01", heading)

    with pytest.raises(ReleaseError, match=r"does not begin with '## \[0\.2\.0\] - ' and a date"):
        news("v0.2.0", "0.2.0", without)
