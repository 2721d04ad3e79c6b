"""A command's output over a WebSocket: whole, cut off, endless, refused, or never there."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubectl_grpclb.cluster._exec import ERROR_LIMIT, KEPT_OF_BROKEN, OUTPUT_LIMIT
from kubectl_grpclb.cluster.kube import KubeCluster
from kubectl_grpclb.model.errors import ClusterError
from kubectl_grpclb.model.gap import GapReason
from kubectl_grpclb.model.snapshot import Answer, Blob, Exec, List, Output, Refused
from tests.cluster.api_server import Conversation, executes, floods, hangs, refuses, says

LOOK = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("sh", "-c", 'cat "/proc/net/tcp6"; echo a+b%20&c=é\n'), 5.0)
HASTY = Exec("shop", "greeter-7c9f8d5b6-x2x9k", "greeter", ("netstat", "-tn"), 0.3)
SUCCESS = {"metadata": {}, "status": "Success"}
FAILED_WITH_2 = {
    "status": "Failure",
    "message": "command terminated with non-zero exit code: exit status 2",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "2"}]},
}
NO_SHELL: dict[str, Any] = {
    "status": "Failure",
    "message": 'Internal error occurred: failed to exec in container: exec: "sh": executable file not found in $PATH',
    "reason": "InternalError",
    "details": {"causes": [{"message": 'exec: "sh": executable file not found in $PATH'}]},
    "code": 500,
}


def test_a_command_gives_what_it_printed_and_its_exit_code(tmp_path: Path) -> None:
    talk = Conversation(
        tmp_path, executes(b"\x01", b"\x02", b"\x01Proto ", b"\x02odd\n", b"\x01Recv-Q", status=SUCCESS)
    )

    assert talk.ask(LOOK) == Output(Blob("Proto Recv-Q"), Blob("odd\n"), exit_code=0)


def test_the_command_arrives_word_by_word_as_it_was_given(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(status=SUCCESS))

    talk.ask(LOOK)

    query = talk.requests[0].query
    assert talk.requests[0].path == "/api/v1/namespaces/shop/pods/greeter-7c9f8d5b6-x2x9k/exec"
    assert query.getall("command") == list(LOOK.command)
    assert (query["container"], query["stdout"], query["stderr"]) == ("greeter", "true", "true")
    assert "stdin" not in query
    assert "tty" not in query


def test_a_command_that_fails_keeps_its_exit_code(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(b"\x02no such option\n", status=FAILED_WITH_2))

    assert talk.ask(LOOK) == Output(stderr=Blob("no such option\n"), exit_code=2)


def test_an_image_without_the_command_has_no_shell(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(status=NO_SHELL))

    assert talk.ask(LOOK) == Refused(GapReason.NO_SHELL, NO_SHELL["message"])


def test_a_container_that_has_stopped_is_gone(tmp_path: Path) -> None:
    status = {"status": "Failure", "message": "cannot exec in a stopped state", "reason": "InternalError"}
    talk = Conversation(tmp_path, executes(status=status))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, "cannot exec in a stopped state")


def test_an_exec_that_never_answers_ends_at_its_time_limit(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, hangs).ask(HASTY)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT
    assert answer.message.endswith("gave no complete answer within 0.3 s")


def test_a_command_that_never_ends_ends_at_its_time_limit(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, executes(b"\x01Proto", then="hang")).ask(HASTY)

    assert isinstance(answer, Refused)
    assert answer.reason is GapReason.TIMED_OUT


def test_a_status_is_the_end_even_where_the_connection_stays_open(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(b"\x01Proto", status=SUCCESS, then="hang"))

    assert talk.ask(LOOK) == Output(Blob("Proto"), exit_code=0)


def test_a_connection_that_breaks_half_way_is_not_a_whole_output(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(b"\x01Proto Rec", then="cut"))

    answer = talk.ask(LOOK)

    assert answer == Output(Blob("Proto Rec"), gap=GapReason.DIED, detail="the connection ended before the command did")


def test_a_connection_that_closes_without_a_status_is_not_a_whole_output(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, executes(b"\x01Proto Rec")).ask(LOOK)

    assert isinstance(answer, Output)
    assert (answer.exit_code, answer.gap) == (None, GapReason.DIED)


def test_a_status_that_is_not_json_is_not_an_exit_code(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, executes(b"\x01Proto", status=b"\xff{")).ask(LOOK)

    assert isinstance(answer, Output)
    assert (answer.exit_code, answer.gap) == (None, GapReason.DIED)


def test_bytes_that_are_not_text_are_kept_as_they_are(tmp_path: Path) -> None:
    garbage = bytes(range(256)) * 300
    talk = Conversation(tmp_path, executes(b"", b"\x09what", b"\x01" + garbage, status=SUCCESS))

    answer = talk.ask(LOOK)

    assert isinstance(answer, Output)
    assert answer.stdout.raw() == garbage


def test_of_output_beyond_the_limit_only_the_beginning_is_kept(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(*[b"\x01" + b"x" * 2**20] * 50, status=SUCCESS))

    answer = talk.ask(LOOK)

    assert isinstance(answer, Output)
    assert len(answer.stdout.raw()) == KEPT_OF_BROKEN
    assert (answer.gap, answer.detail) == (GapReason.TOO_LARGE, "the command printed more than 8 MB")


def test_output_up_to_the_limit_is_whole(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(*[b"\x01" + b"x" * 2**20] * 8, status=SUCCESS))

    answer = talk.ask(LOOK)

    assert isinstance(answer, Output)
    assert (len(answer.stdout.raw()), answer.exit_code, answer.gap) == (OUTPUT_LIMIT, 0, None)


def test_a_command_that_prints_for_ever_is_left_at_the_limit(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, floods(b"\x01")).ask(Exec("shop", "greeter-0", "greeter", ("yes",), 60.0))

    assert isinstance(answer, Output)
    assert answer.gap is GapReason.TOO_LARGE


def test_a_command_that_complains_for_ever_is_left_at_the_limit(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, floods(b"\x02")).ask(Exec("shop", "greeter-0", "greeter", ("yes",), 60.0))

    assert isinstance(answer, Output)
    assert answer.gap is GapReason.TOO_LARGE
    assert len(answer.stderr.raw()) == ERROR_LIMIT


def test_a_single_message_beyond_the_limit_is_not_taken_in(tmp_path: Path) -> None:
    answer = Conversation(tmp_path, executes(b"\x01" + b"x" * (OUTPUT_LIMIT + 2), status=SUCCESS)).ask(LOOK)

    assert isinstance(answer, Output)
    assert answer.gap is GapReason.TOO_LARGE


def test_an_exec_that_is_forbidden_says_so_in_the_words_of_the_cluster(tmp_path: Path) -> None:
    message = 'pods "greeter-7c9f8d5b6-x2x9k" is forbidden: User "dev" cannot create resource "pods/exec"'
    talk = Conversation(tmp_path, refuses(403, message))

    assert talk.ask(LOOK) == Refused(GapReason.FORBIDDEN, message, 403)


def test_a_pod_that_is_gone_is_a_refusal_of_that_pod(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, refuses(404, 'pods "greeter-7c9f8d5b6-x2x9k" not found'))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, 'pods "greeter-7c9f8d5b6-x2x9k" not found', 404)


def test_a_kubelet_that_cannot_be_reached_is_a_refusal_of_that_pod(tmp_path: Path) -> None:
    message = "error dialing backend: dial tcp 10.1.0.4:10250: connect: no route to host"
    talk = Conversation(tmp_path, refuses(500, message))

    assert talk.ask(LOOK) == Refused(GapReason.DIED, message, 500)


def test_credentials_that_expire_between_execs_end_everything(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="refused your credentials"):
        Conversation(tmp_path, refuses(401, "Unauthorized")).ask(LOOK)


def test_a_login_page_in_place_of_a_websocket_ends_everything(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="not a Kubernetes API server"):
        Conversation(tmp_path, says(200, "<html>Sign in</html>")).ask(LOOK)


@pytest.mark.parametrize(
    ("status", "page", "said"),
    [
        (414, "<html><h1>414 Request-URI Too Large</h1><hr>nginx</html>", "414 Request-URI Too Large nginx"),
        (403, "<!DOCTYPE html>\n<title>Blocked</title><p>by \x1b[31mWAF</p>", "Blocked by \x1b[31mWAF"),
        (400, "<html></html>", "nothing more"),
    ],
)
def test_a_web_page_in_place_of_a_websocket_after_an_answer_is_a_gap_of_that_pod(
    tmp_path: Path, status: int, page: str, said: str
) -> None:
    talk = Conversation(tmp_path, says(200, {"kind": "PodList", "metadata": {}, "items": []}), says(status, page))

    async def looking(cluster: KubeCluster) -> Answer:
        await cluster.read(List("pods", "shop"))
        return (await cluster.read(LOOK)).answer

    message = f"something between here and the API server refused it with a web page (HTTP {status}): {said}"
    assert talk.run(looking) == Refused(GapReason.DIED, message, status)


def test_a_busy_server_is_asked_for_the_exec_again(tmp_path: Path) -> None:
    busy = refuses(429, "too many requests", **{"Retry-After": "0"})
    talk = Conversation(tmp_path, busy, executes(b"\x01Proto", status=SUCCESS))

    assert talk.ask(LOOK) == Output(Blob("Proto"), exit_code=0)


def test_an_exec_is_made_as_whom_the_flags_say(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(status=SUCCESS), as_user="jo", as_groups=("dev", "on-call"))

    talk.ask(LOOK)

    assert talk.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert talk.requests[0].headers["Impersonate-User"] == "jo"
    assert talk.requests[0].headers.getall("Impersonate-Group") == ["dev", "on-call"]


def test_no_more_execs_are_in_flight_than_allowed_and_waiting_costs_no_time_limit(tmp_path: Path) -> None:
    talk = Conversation(tmp_path, executes(b"\x01Proto", status=SUCCESS), in_flight=3)

    async def twelve(cluster: KubeCluster) -> set[str]:
        readings = await asyncio.gather(*(cluster.read(LOOK) for _ in range(12)))
        return {type(reading.answer).__name__ for reading in readings}

    assert talk.run(twelve) == {"Output"}
    assert talk.most == 3


def test_an_interrupt_closes_everything_at_once(tmp_path: Path) -> None:
    async def interrupted(cluster: KubeCluster) -> None:
        looks = asyncio.gather(*(cluster.read(LOOK) for _ in range(40)))
        while len(talk.requests) < 16:  # noqa: ASYNC110 - the stand-in has no event to wait for
            await asyncio.sleep(0.01)
        looks.cancel()
        async with asyncio.timeout(2):
            await asyncio.gather(looks, return_exceptions=True)

    talk = Conversation(tmp_path, executes(b"\x01Proto", then="hang"))

    talk.run(interrupted)

    assert len(talk.requests) == 16
