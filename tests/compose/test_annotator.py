"""The profile `lasair` of docker-compose.yml: off without a token, and no trouble to the others."""

import json

import pytest

from tests.kafka_streets import wait_until

pytestmark = [pytest.mark.compose, pytest.mark.slow, pytest.mark.timeout(1500)]


def state_of(project, service):
    container = project.compose("ps", "--all", "--quiet", service)
    return json.loads(project.docker("inspect", container))[0]["State"] if container else {}


def test_without_a_token_the_annotator_ends_and_the_others_go_on(project):
    project.compose("--profile", "lasair", "up", "--detach", "annotator")
    ended = wait_until(
        lambda: (state := state_of(project, "annotator")).get("Status") == "exited" and state,
        "the annotator's end",
        120.0,
    )
    assert ended["ExitCode"] == 0
    logs = project.compose("--profile", "lasair", "logs", "--no-log-prefix", "annotator")
    assert "nothing is annotated" in logs
    assert state_of(project, "classifier")["Health"]["Status"] == "healthy"
