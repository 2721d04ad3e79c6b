import pytest

from release.frozen_program import clean, lab_module


def test_what_the_launcher_added_is_taken_out_of_the_environment() -> None:
    environment = {
        "PATH": "/usr/bin",
        "LD_LIBRARY_PATH": "/opt/kubectl-grpclb/lib",
        "_PYI_ARCHIVE_FILE": "/opt/kubectl-grpclb/kubectl-grpclb",
        "_PYI_PARENT_PROCESS_LEVEL": "1",
    }

    clean(environment)

    assert environment == {"PATH": "/usr/bin"}


def test_the_users_own_library_path_comes_back() -> None:
    environment = {"LD_LIBRARY_PATH": "/opt/kubectl-grpclb/lib:/opt/oracle", "LD_LIBRARY_PATH_ORIG": "/opt/oracle"}

    clean(environment)

    assert environment == {"LD_LIBRARY_PATH": "/opt/oracle"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-P", "-m", "kubectl_grpclb.lab.server"], "kubectl_grpclb.lab.server"),
        (["-P", "-m", "kubectl_grpclb.lab.client", "127.0.0.1"], "kubectl_grpclb.lab.client"),
        (["-P", "-m", "http.server"], None),
        (["-m", "kubectl_grpclb.lab.server"], None),
        (["diagnose", "greeter"], None),
        ([], None),
    ],
)
def test_it_is_an_interpreter_for_the_labs_processes_alone(words: list[str], expected: str | None) -> None:
    assert lab_module(words) == expected
