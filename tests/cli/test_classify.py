"""classify: its forms of output, and what it tells of alerts that gave no answer."""

import csv
import io
import json
import tarfile

import pandas as pd
import pytest
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.streams.classification import ClassificationMessage, parse
from tests.ztf_packets import alert, container, flare, measurement


def run(*arguments):
    return CliRunner().invoke(app, ["classify", *map(str, arguments)])


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Two objects, an alert in a band of no bundle, an asteroid, a broken packet."""
    folder = tmp_path_factory.mktemp("night")
    for name in ("ZTF1", "ZTF2"):
        for i, packet in enumerate(flare(name, n=4)):
            (folder / f"{name}-{i}.avro").write_bytes(packet)
    in_i = alert("ZTF3", [measurement(60000.0, fid=3)])
    asteroid = alert("ZTF4", [measurement(60000.0) | {"ssdistnr": 1.0, "ssnamenr": "433"}])
    (folder / "i.avro").write_bytes(container(in_i))
    (folder / "asteroid.avro").write_bytes(container(asteroid))
    (folder / "broken.avro").write_bytes(flare("ZTF5")[0][:300])
    return folder


@pytest.fixture(scope="module")
def lines(night, tmp_path_factory):
    output = tmp_path_factory.mktemp("jsonl") / "night.jsonl"
    assert run(night, "--output", output).exit_code == 0
    return [parse(line) for line in output.read_bytes().splitlines()]


def as_rows(messages):
    return {(m.object_id, m.alert_id_str): m.probabilities for m in messages}


def test_csv_has_a_row_an_answer_and_a_column_a_class(night, lines, tmp_path):
    run(night, "--output", tmp_path / "night.csv", "--format", "csv")
    with (tmp_path / "night.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = {
        (row["object_id"], row["alert_id"]): {
            name[2:]: float(value)
            for name, value in row.items()
            if name.startswith("p_") and not name.startswith("p_equal_prior_")
        }
        for row in rows
    }
    assert table == as_rows(lines)


def test_parquet_is_what_pandas_makes_of_the_messages(night, lines, tmp_path):
    run(night, "--output", tmp_path / "night.parquet", "--format", "parquet")
    table = pd.read_parquet(tmp_path / "night.parquet")
    pd.testing.assert_frame_equal(table, ClassificationMessage.to_pandas(lines), check_dtype=False)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--output", "-", "--format", "parquet"), "cannot go to standard output"),
        (("--output", "{}", "--newest"), "--newest is for tables"),
    ],
)
def test_a_form_that_cannot_be_is_refused_before_any_work(night, tmp_path, options, complaint):
    output = tmp_path / "night.jsonl"
    ended = run(night, *(option.format(output) for option in options))
    assert (ended.exit_code, output.exists()) == (2, False)
    assert complaint in ended.stderr


def test_newest_is_one_row_an_object(night, lines, tmp_path):
    run(night, "--output", tmp_path / "n.csv", "--format", "csv", "--newest")
    table = pd.read_csv(tmp_path / "n.csv", dtype={"alert_id": str})
    latest = {m.object_id: m.alert_id_str for m in sorted(lines, key=lambda m: m.mjd)}
    assert dict(zip(table["object_id"], table["alert_id"], strict=True)) == latest


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_standard_output_has_answers_alone(night, lines, form):
    ended = run(night, "--output", "-", "--format", form)
    text = io.StringIO(ended.stdout)
    n = len(list(csv.DictReader(text))) if form == "csv" else len(text.readlines())
    assert n == len(lines)
    assert '"received":11' in ended.stderr


def test_every_declined_alert_is_listed_with_a_sentence(night, tmp_path):
    ended = run(night, "--output", tmp_path / "night.jsonl")
    listed = (tmp_path / "night.declined.jsonl").read_text().splitlines()
    declined = {d["object_id"]: (d["reason"], d["sentence"]) for d in map(json.loads, listed)}
    assert declined["ZTF4"] == ("solar_system", "The detection is of a known asteroid or comet.")
    reason, sentence = declined["ZTF3"]
    assert reason == "no_usable_points"
    assert "g, r of positive flux, and the light curve has 1 point: 1 in other bands" in sentence
    assert "night.declined.jsonl" in ended.stderr


def test_keep_all_answers_what_the_rules_decline(night, tmp_path):
    ended = run(night, "--output", tmp_path / "night.jsonl", "--keep-all")
    assert json.loads(ended.stdout) | {"classified": 9, "declined": 1} == json.loads(ended.stdout)


def test_a_truncated_archive_is_told_and_the_rest_is_classified(night, tmp_path):
    with tarfile.open(tmp_path / "night.tar.gz", "w:gz") as archive:
        archive.add(night, "night")
    whole = (tmp_path / "night.tar.gz").read_bytes()
    (tmp_path / "night.tar.gz").write_bytes(whole[: len(whole) * 2 // 3])
    good = night / "ZTF1-0.avro"
    ended = run(tmp_path / "night.tar.gz", good, "--output", tmp_path / "o.jsonl")
    assert ended.exit_code == 0
    totals = json.loads(ended.stdout)
    assert totals["classified"] >= 1
    letters = (tmp_path / "o.dead-letters.jsonl").read_text()
    assert "night.tar.gz cannot be read" in letters


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--strict",), 1)])
def test_strict_ends_with_1_if_anything_could_not_be_read(night, tmp_path, option, code):
    assert run(night, "--output", tmp_path / "o.jsonl", *option).exit_code == code


def test_several_bundles_answer_side_by_side_and_newest_keeps_a_row_of_each(night, lines, tmp_path):
    both = ["--bundle", "ztf-transients", "--bundle", "ztf-kilonovae"]
    run(night, "--output", tmp_path / "n.csv", "--format", "csv", *both)
    rows = pd.read_csv(tmp_path / "n.csv")
    assert rows["model"].value_counts().to_dict() == dict.fromkeys(both[1::2], len(lines))
    ended = run(night, "--output", tmp_path / "n.csv", "--format", "csv", "--newest", *both)
    assert json.loads(ended.stdout)["classified"] == len(lines)
    newest = pd.read_csv(tmp_path / "n.csv")
    assert newest.groupby("object_id")["model"].agg(set).tolist() == [set(both[1::2])] * 2


def test_a_bundle_in_shadow_takes_no_part(night, lines, tmp_path):
    (tmp_path / "s.toml").write_text(
        '[surveys.ztf]\nbundles = ["ztf-transients", {name = "ztf-kilonovae", shadow = true}]\n'
    )
    run(night, "--output", tmp_path / "n.jsonl", "--config", tmp_path / "s.toml")
    answers = [parse(line) for line in (tmp_path / "n.jsonl").read_bytes().splitlines()]
    assert as_rows(answers) == as_rows(lines)
