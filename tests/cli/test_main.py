"""The program as a user meets it: help, errors that say what to do, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker_classifier import __version__
from broker_classifier.cli.main import app
from broker_classifier.model.find_bundle import shipped_bundles
from tests.bundles import small_bundle
from tests.kafka_streets import send, service
from tests.ztf_packets import alert, container, flare, measurement

COMMANDS = [
    ["serve"],
    ["demo"],
    ["replay"],
    ["classify"],
    ["subscribe"],
    ["train"],
    ["cross-validate"],
    ["evaluate"],
    ["explain"],
    ["card"],
    ["poster"],
    ["sweep"],
    ["simulate-kilonovae"],
    ["bundles"],
    ["check-bundle"],
    ["dead-letters", "list"],
    ["dead-letters", "replay"],
]

SIMULATE = [
    "simulate-kilonovae",
    "--templates",
    "none",
    "--visits",
    "none",
    "--survey",
    "ztf",
    "--output",
    "{tmp}/k",
]


def run(*arguments, **environment):
    arguments = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, arguments, prog_name="broker-classifier", env=environment)


def test_help_shows_the_commands_in_groups_the_most_used_first():
    shown = run("--help").output
    words = ["Run", "demo", "serve", "subscribe", "Look", "explain", "bundles", "dead-letters"]
    words += ["Files", "classify", "replay", "Train", "train", "evaluate", "poster"]
    starts = [line.strip("╭│─╮ ").split(" ")[0] for line in shown.splitlines() if line.strip()]
    assert [word for word in starts if word in words] == words


def test_without_a_command_the_help_is_shown():
    assert run().output.strip() == run("--help").output.strip()


def test_the_version_is_shown():
    assert run("--version").output == f"broker-classifier {__version__}\n"


def test_the_shell_completes_commands(tmp_path):
    words = {"COMP_WORDS": "broker-classifier chec", "COMP_CWORD": "1"}
    asked = run(_BROKER_CLASSIFIER_COMPLETE="complete_bash", **words)
    assert asked.output.split() == ["check-bundle"]


def test_usage_names_what_must_be_given_without_braces():
    assert "classify [OPTIONS] PATHS..." in run("classify", "--help").output
    assert "train [OPTIONS] RECIPE" in run("train", "--help").output
    assert "explain [OPTIONS] OBJECT|FILE" in run("explain", "--help").output


def test_bundles_are_listed_with_survey_classes_version_and_folder():
    listed = {bundle["name"]: bundle for bundle in json.loads(run("bundles", "--json").output)}
    for name, folder in shipped_bundles().items():
        description = json.loads((folder / "bundle.json").read_text())
        assert listed[name] == {"folder": str(folder)} | {
            field: description[field] for field in ("name", "version", "survey", "classes")
        }
    assert [line.split()[0] for line in run("bundles").output.splitlines() if line[0] != " "] == [
        "name",
        *listed,
    ]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_commands_help_shows_an_example(command):
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    assert "Example:" in shown.output


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["classify", "nowhere", "--output", "{tmp}/o.jsonl"], "nowhere does not exist"),
        (["classify", "x", "--output", "{tmp}/o", "--survey", "sdss"], "sdss"),
        (["classify", "x", "--output", "{tmp}/o", "--bundle", "none"], "none"),
        (["serve", "--config", "none.toml"], "none.toml does not exist"),
        (["check-bundle", "none"], "none is no folder and no shipped bundle"),
        (["check-bundle", "models/ztf-transient"], "did you mean ztf-transients?"),
        (["check-bundle", "{tmp}"], "is no bundle, it has no bundle.json"),
        (["train", "none.toml", "--data", "none", "--output", "{tmp}/b"], "none"),
        (["evaluate", "--data", "none", "--output", "{tmp}/r"], "none"),
        (["explain", "nowhere", "--output", "{tmp}/x.png"], "there is no file nowhere"),
        (SIMULATE, "none"),
        (["classify", "x", "--output", "o", "--format", "xls"], "'--format': 'xls' is not one of"),
        (["classify", "x", "--output", "o", "--batch-size", "0"], "must be at least 1"),
        (["subscribe", "--limit", "x"], "must be a whole number"),
    ],
)
def test_what_is_wrong_is_named_and_ends_with_code_2(tmp_path, arguments, named):
    ended = run(*[argument.format(tmp=tmp_path) for argument in arguments])
    assert ended.exit_code == 2
    assert named in ended.output
    assert "Traceback" not in ended.output


def test_what_cannot_be_read_leaves_earlier_answers(tmp_path):
    output = tmp_path / "night.jsonl"
    output.write_text("earlier answers")
    (tmp_path / "empty").mkdir()
    for path in ("nowhere", tmp_path / "empty"):
        assert run("classify", path, "--output", output).exit_code == 2
    assert output.read_text() == "earlier answers"


@pytest.mark.parametrize(
    "arguments", [["example-night", "/dev/null/night"], ["classify", "{tmp}", "--output", "-"]]
)
def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path, arguments):
    for i, packet in enumerate(flare("ZTF1", n=2)):
        (tmp_path / f"{i}.avro").write_bytes(packet)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "broker_classifier.cli", *arguments[:1]]
            + [argument.format(tmp=tmp_path) for argument in arguments[1:]],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert re.search(r"(Not a directory|No space left on device): \w+", ended.stderr)


def test_an_unknown_variable_stops_the_start():
    ended = run("serve", BROKER_KAFAK__GROUP_ID="x")
    assert ended.exit_code == 2
    assert "BROKER_KAFAK__GROUP_ID is no setting" in ended.output


def test_classify_prints_one_json_line_of_counts(tmp_path):
    for i, packet in enumerate(flare("ZTF1", n=5)):
        (tmp_path / f"{i}.avro").write_bytes(packet)
    ended = run("classify", tmp_path, "--output", tmp_path / "night.jsonl")
    [line] = ended.output.splitlines()
    assert json.loads(line) == {
        "received": 5,
        "classified": 5,
        "declined": 0,
        "duplicate": 0,
        "withdrawn": 0,
        "dead_lettered": 0,
    }
    assert len((tmp_path / "night.jsonl").read_text().splitlines()) == 5


def test_classify_says_why_it_declined_and_where_the_unreadable_is(tmp_path):
    (tmp_path / "bad.avro").write_bytes(flare("ZTF1")[0][:300])
    (tmp_path / "none.avro").write_bytes(container(alert("ZTF2", [measurement(60000.0, fid=3)])))
    output = tmp_path / "night.jsonl"
    ended = run("classify", tmp_path, "--output", output)
    assert json.loads(ended.stdout)["declined"] == 1 == json.loads(ended.stdout)["dead_lettered"]
    assert "declined: 1 no_usable_points" in ended.stderr
    assert str(tmp_path / "night.dead-letters.jsonl") in ended.stderr


def test_classify_fails_where_nothing_could_be_read(tmp_path):
    (tmp_path / "noise.avro").write_bytes(b"no alert" * 9)
    ended = run("classify", tmp_path / "noise.avro", "--output", tmp_path / "night.jsonl")
    assert ended.exit_code == 1
    assert str(tmp_path / "night.dead-letters.jsonl") in ended.stderr


def test_explain_takes_the_bundle_of_the_objects_survey(tmp_path):
    bundle = small_bundle(tmp_path / "bundle")
    (tmp_path / "a.avro").write_bytes(flare("ZTF1")[0])
    settings = f'{{"ztf": {{"bundle": "{tmp_path / "bundle"}"}}}}'
    ended = run("explain", tmp_path / "a.avro", "--output", tmp_path, BROKER_SURVEYS=settings)
    assert ended.exit_code == 0, ended.output
    assert any(name in ended.output for name in bundle.classes)
    without = run(
        "explain",
        tmp_path / "a.avro",
        "--output",
        tmp_path,
        BROKER_SURVEYS='{"ztf": {"bundle": null}}',
    )
    assert without.exit_code == 2
    assert "no bundle is set for ztf" in without.output


def test_check_bundle_says_what_it_checked():
    ended = run("check-bundle")
    assert ended.exit_code == 0
    assert "ztf-transients" in ended.output


def test_replay_then_subscribe_shows_the_classifications(kafka, unique, tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    for i, packet in enumerate(flare("ZTF1", n=6)):
        (folder / f"{i}.avro").write_bytes(packet)
    server = ["--bootstrap-servers", kafka.bootstrap_servers]
    with service(kafka.bootstrap_servers, unique, tmp_path) as worker:
        sent = run("replay", folder, "--topic", worker.input, "--rate", 100, *server)
        assert json.loads(sent.stdout) == {"sent": 6, "topic": worker.input}
        worker.wait_for(received=6)
        reading = [
            "subscribe",
            *server,
            "--topic",
            worker.output,
            "--from-beginning",
            "--limit",
            6,
        ]
        rows = run(*reading).output.splitlines()
        assert rows[0].split()[:5] == ["object", "alert", "mjd", "points", "bits"]
        assert [row.split()[0] for row in rows[1:]] == ["ZTF1"] * 6
        lines = run(*reading, "--json").output.splitlines()
        assert sorted(json.loads(line)["n_points_used"] for line in lines) == [1, 2, 3, 4, 5, 6]


def test_dead_letters_are_listed_and_replayed_by_command(kafka, unique, tmp_path):
    with service(kafka.bootstrap_servers, unique, tmp_path) as worker:
        send(worker.bootstrap_servers, worker.input, [b"bad"])
        worker.wait_for(received=1)
        variables = worker.environment
        assert (
            "DecodeError: the message begins with b'bad'"
            in run("dead-letters", "list", **variables).output
        )
        listed = json.loads(run("dead-letters", "list", "--json", **variables).output)
        assert (listed["topic"], listed["n_bytes"]) == (worker.input, 3)
        assert json.loads(run("dead-letters", "replay", **variables).output) == {"replayed": 1}


def test_an_unreachable_kafka_is_named():
    address = "127.0.0.1:1"
    assert address in run("dead-letters", "list", "--bootstrap-servers", address).output


def test_a_closed_pipe_ends_the_program_quietly(tmp_path):
    command = f"{sys.executable} -m broker_classifier.cli --help | head -1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
