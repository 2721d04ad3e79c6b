"""How often -v is given, as written by users of kubectl."""

import pytest

from kubectl_grpclb.commands.verbosity import plain_verbosity
from kubectl_grpclb.model.errors import UsageError


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (["greeter"], ["greeter"]),
        (["greeter", "-v"], ["greeter", "-v"]),
        (["-vv", "greeter"], ["-vv", "greeter"]),
        (["-v=0", "greeter"], ["greeter"]),
        (["-v=1", "greeter"], ["-v", "greeter"]),
        (["-v=6", "greeter"], ["-v", "-v", "greeter"]),
        (["--v=6", "greeter"], ["-v", "-v", "greeter"]),
        (["-v6", "greeter"], ["-v", "-v", "greeter"]),
        (["-v", "6", "greeter"], ["-v", "-v", "greeter"]),
        (["--v", "1", "greeter"], ["-v", "greeter"]),
        (["greeter", "-v", "-n", "shop"], ["greeter", "-v", "-n", "shop"]),
        (["-v", "svc/6"], ["-v", "svc/6"]),
        (["--", "-v=6"], ["--", "-v=6"]),
    ],
)
def test_a_number_after_v_says_how_often_it_is_given(words: list[str], plain: list[str]) -> None:
    assert plain_verbosity(words) == plain


@pytest.mark.parametrize("word", ["-v=", "-v=loud", "--v=-1", "-v=\u0663"])
def test_what_is_no_number_is_refused_with_what_there_is(word: str) -> None:
    with pytest.raises(UsageError, match="-vv"):
        plain_verbosity([word])
