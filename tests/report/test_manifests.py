"""A plan as what kubectl takes."""

import json
import shlex

import pytest
import yaml
from msgspec.structs import replace

from kubectl_grpclb.model.plan import Plan
from kubectl_grpclb.remedies.envoy.options import Autoscaling, EnvoyOptions
from kubectl_grpclb.report.manifests import as_json, as_yaml, patch_command, plan_data
from tests.fake_api import FailedTestError, patched
from tests.remedies.builders import live
from tests.remedies.envoy.builders import planned

EVERYTHING = EnvoyOptions(autoscaling=Autoscaling(most=8), network_policy=True, access_log="all")
INJECTED = "greeter\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: stolen}\n#"


def commands(text: str) -> list[list[str]]:
    """Give the commands in the comments, as a shell would split them."""
    return [shlex.split(line[1:]) for line in text.splitlines() if line.startswith("#   kubectl")]


def renamed(plan: Plan, name: str) -> Plan:
    """A plan whose Service is called otherwise."""
    assert plan.change is not None
    return replace(plan, change=replace(plan.change, name=name))


@pytest.mark.parametrize("options", [EnvoyOptions(), EVERYTHING], ids=["plain", "everything"])
def test_the_yaml_gives_the_same_objects_again(options: EnvoyOptions) -> None:
    plan = planned(options)

    read = [each for each in yaml.safe_load_all(as_yaml(plan)) if each is not None]

    assert read == [each.manifest for each in plan.create]


def test_the_json_gives_the_same_objects_again() -> None:
    plan = planned(EVERYTHING)

    read = json.loads(as_json(plan))

    assert (read["kind"], read["items"]) == ("List", [each.manifest for each in plan.create])


def test_envoys_configuration_can_be_read_in_the_yaml() -> None:
    assert "  envoy.yaml: |\n    admin:\n" in as_yaml(planned())


def test_the_cut_over_and_the_way_back_are_in_comments_only() -> None:
    text = as_yaml(planned())

    lines = [line for line in text.splitlines() if "kubectl patch" in line]
    assert len(lines) == 2
    assert [line for line in lines if not line.startswith("#   kubectl patch service greeter -n shop")] == []


def test_the_cut_over_in_the_comment_makes_the_change_and_the_way_back_takes_it_back() -> None:
    service = live()
    there, back = [json.loads(words[words.index("-p") + 1]) for words in commands(as_yaml(planned(service=service)))]

    after = patched(service, there)

    assert after["spec"]["selector"] == {"app": "greeter-grpclb-envoy"}
    assert patched(after, back) == service


def test_the_cut_over_in_the_comment_is_refused_for_a_service_that_is_otherwise() -> None:
    there = json.loads(commands(as_yaml(planned()))[0][-1])

    with pytest.raises(FailedTestError):
        patched(live(selector={"app": "greeter-v2"}), there)


def test_the_cut_over_in_the_comment_takes_a_service_that_somebody_labelled_in_between() -> None:
    there = json.loads(commands(as_yaml(planned()))[0][-1])
    labelled = live()
    labelled["metadata"] |= {"resourceVersion": "1042", "labels": {"team": "payments"}}

    assert patched(labelled, there)["spec"]["selector"] == {"app": "greeter-grpclb-envoy"}


def test_the_cut_over_in_the_comment_is_refused_for_another_service_of_the_name() -> None:
    there = json.loads(commands(as_yaml(planned()))[0][-1])
    recreated = live()
    recreated["metadata"]["uid"] = "6a1d"

    with pytest.raises(FailedTestError):
        patched(recreated, there)


def test_a_cut_over_whose_service_has_no_known_uid_tests_the_old_values_only() -> None:
    change = planned().change
    assert change is not None

    unknown = json.loads(shlex.split(patch_command(replace(change, uid="")))[-1])

    assert [each["path"] for each in unknown if each["op"] == "test"] == ["/spec/selector"]
    assert patched(live(), unknown)["spec"]["selector"] == {"app": "greeter-grpclb-envoy"}


def test_a_plan_without_a_cut_over_has_no_comment_about_one() -> None:
    assert "kubectl patch" not in as_yaml(replace(planned(), change=None))


def test_a_quote_in_a_name_does_not_end_the_word_in_the_shell() -> None:
    plan = renamed(planned(), "greeter'; rm -rf ~; '")
    assert plan.change is not None

    assert shlex.split(patch_command(plan.change))[3] == "greeter'; rm -rf ~; '"


def test_a_name_with_line_breaks_does_not_get_out_of_its_comment() -> None:
    plan = renamed(planned(), INJECTED)

    read = [each for each in yaml.safe_load_all(as_yaml(plan)) if each is not None]

    assert read == [each.manifest for each in plan.create]


def test_a_reason_with_line_breaks_does_not_get_out_of_its_comment() -> None:
    plan = planned()

    hostile = replace(plan, create=tuple(replace(each, why=INJECTED) for each in plan.create))

    read = [each for each in yaml.safe_load_all(as_yaml(hostile)) if each is not None]
    assert read == [each.manifest for each in plan.create]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_plan_itself_as_data_says_what_is_made_and_changed(form: str) -> None:
    data = yaml.safe_load(plan_data(planned(), form))

    assert (data["kind"], data["strategy"]) == ("Plan", "envoy")
    assert [each["manifest"]["kind"] for each in data["create"]][-1] == "Deployment"
    assert data["change"]["fields"][0]["after"] == {"app": "greeter-grpclb-envoy"}
