"""What a shell gets to read: words and nothing that it could take for anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_grpclb.completion.protocol import Answer, Candidate, Directive, rendered


def test_each_candidate_is_a_line_with_its_meaning_after_a_tab() -> None:
    answer = Answer((Candidate("fix", "Fix a Service whose load sticks."), Candidate("demo")))

    assert rendered(answer) == "fix\tFix a Service whose load sticks.\ndemo\n:4\n"


def test_nothing_is_said_with_the_directive_alone() -> None:
    assert rendered(Answer()) == ":4\n"


def test_directives_add_up() -> None:
    assert rendered(Answer((Candidate("exec"),), Directive.NO_FILES | Directive.NO_SPACE)) == "exec\n:6\n"


def test_files_are_left_to_the_shell() -> None:
    assert rendered(Answer(directive=Directive.FILES)) == ":0\n"


@pytest.mark.parametrize(
    "name",
    [
        "shop\x1b[2J", "shop\ncart", "shop\tcart", "$(reboot)", "`reboot`", "shop;reboot", "shop cart", "a'b", 'a"b',
        "a\\b", "~root", "=ls", "#shop", "*", "sh[o]p", "{a,b}", "a|b", "a&b", "a>b", "!1", "shöp", "sh\u202eop", "",
        ":4",
    ],
)  # fmt: skip
def test_a_name_that_a_shell_could_act_on_is_left_out(name: str) -> None:
    assert rendered(Answer((Candidate(name), Candidate("greeter")))) == "greeter\n:4\n"


@pytest.mark.parametrize(
    "name",
    ["arn:aws:eks:eu-west-1:123456789012:cluster/shop", "jo@shop.eu-west-1.eksctl.io", "gke_shop_eu_prod", "a+b"],
)
def test_contexts_as_clouds_name_them_are_words(name: str) -> None:
    assert rendered(Answer((Candidate(name),))) == f"{name}\n:4\n"


@given(st.text())
def test_a_meaning_is_one_printable_line(meaning: str) -> None:
    lines = rendered(Answer((Candidate("fix", meaning),))).split("\n")

    assert lines[1:] == [":4", ""]
    assert lines[0].replace("\t", "", 1).isprintable()
