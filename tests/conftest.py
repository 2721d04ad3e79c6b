"""Options of the whole test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--e2e", action="store_true", help="run the tests that need the cluster of $KUBECONFIG")
    parser.addoption("--update", action="store_true", help="rewrite the golden files; read the difference")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--e2e"):
        return
    unasked = pytest.mark.skip(reason="needs a real cluster: --e2e")
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(unasked)


@pytest.fixture(scope="session")
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))
