"""Every real ZTF packet of the development data, through the program as a user runs it."""

import collections
import io
import json
import random
import shutil
import subprocess
import sys

import fastavro
import numpy as np
import pytest

from broker_classifier.light_curve import EMPTY, Kind
from tests.ztf_packets import decode

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def files(shared_data):
    return sorted((shared_data / "alerts").glob("ztf-*/*.avro"))


@pytest.fixture(scope="module")
def one_object(shared_data):
    return sorted((shared_data / "alerts" / "ztf-3.3-one-object").glob("*.avro"))


def classify(output, *paths, batch_size=500):
    command = [sys.executable, "-m", "broker_classifier.cli", "classify", *map(str, paths)]
    options = ["--output", str(output), "--batch-size", str(batch_size)]
    run = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    return json.loads(run.stdout), {line["alert_id"]: line for line in lines}, lines


def test_every_packet_is_accounted_for(files, tmp_path):
    counts, answers, lines = classify(tmp_path / "all.jsonl", *files)
    assert counts["received"] == len(files) == sum(counts.values()) - counts["received"]
    assert counts["dead_lettered"] == 0
    assert len(lines) == len(answers) == counts["classified"]


def test_one_objects_alerts_give_one_message_each_and_probabilities_evolve(one_object, tmp_path):
    counts, answers, lines = classify(tmp_path / "one.jsonl", *one_object)
    assert counts["classified"] == len(lines) == len(answers) == len(one_object) == 34
    by_time = sorted(lines, key=lambda line: line["mjd"])
    assert [line["n_points_used"] for line in by_time] == list(range(1, 35))
    assert len({line["probability"] for line in lines}) > 30


def used_points(answer):
    points = [p for p in answer["light_curve"] if p["rejected"] is None]
    return [(p["mjd"], p["band"], p["psf_flux"], p["psf_flux_err"]) for p in points]


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_order_batch_size_and_repeats_change_nothing(one_object, tmp_path, batch_size):
    _, expected, _ = classify(tmp_path / "expected.jsonl", *one_object)
    shuffled = random.Random(batch_size).sample(one_object * 2, 2 * len(one_object))
    counts, answers, lines = classify(tmp_path / "s.jsonl", *shuffled, batch_size=batch_size)
    assert (counts["classified"], counts["duplicate"], len(lines)) == (34, 34, 34)
    for alert_id, answer in answers.items():
        both = [list(of_run[alert_id]["probabilities"].values()) for of_run in (answers, expected)]
        np.testing.assert_allclose(*both, atol=1e-5)
        assert used_points(answer) == used_points(expected[alert_id])


def test_a_folder_with_damaged_packets_is_accounted_for(one_object, tmp_path):
    folder = tmp_path / "night"
    folder.mkdir()
    for file in one_object:
        shutil.copyfile(file, folder / file.name)
    victims = sorted(folder.iterdir())[:3]
    for victim, content in zip(
        victims, [b"", b"x" * 99, one_object[0].read_bytes()[:-9]], strict=True
    ):
        victim.write_bytes(content)
    counts, _, _ = classify(tmp_path / "n.jsonl", folder)
    assert (counts["classified"], counts["dead_lettered"]) == (31, 3)
    letters = (tmp_path / "n.dead-letters.jsonl").read_text().splitlines()
    assert {json.loads(letter)["topic"] for letter in letters} == set(map(str, victims))


def test_every_value_is_what_fastavro_reads(files):
    for file in files:
        content = file.read_bytes()
        [record] = fastavro.reader(io.BytesIO(content))
        decoded, candidate = decode(content), record["candidate"]
        assert (decoded.object_id, decoded.alert_id) == (record["objectId"], candidate["candid"])
        assert decoded.mjd == pytest.approx(candidate["jd"] - 2400000.5, abs=1e-7)
        past = record["prv_candidates"] or []
        limits = [p for p in past if p["magpsf"] is None and p["diffmaglim"] is not None]
        n_of = collections.Counter(decoded.curve.kind.tolist())
        detections = [p for p in [candidate, *past] if p["magpsf"] is not None]
        assert n_of[Kind.DETECTION] == len({(p["jd"], p["fid"]) for p in detections})
        assert n_of[Kind.UPPER_LIMIT] == len({(p["jd"], p["fid"]) for p in limits})
        own = decoded.curve.psf_flux[decoded.curve.mjd == decoded.mjd][0]
        magnitude = 31.4 - 2.5 * np.log10(abs(own))
        assert magnitude == pytest.approx(candidate["magpsf"], abs=6e-5)
        assert (own > 0) == (candidate["isdiffpos"] in ("t", "1"))


def test_packets_of_one_object_agree_on_every_detection(files):
    objects = collections.defaultdict(list)
    for file in files:
        alert = decode(file.read_bytes())
        objects[alert.object_id].append(alert.curve)
    for curves in objects.values():
        versions = {
            point.tobytes()
            for curve in curves
            for point in curve.points[curve.kind == Kind.DETECTION]
        }
        merged = EMPTY.merge(*curves)
        assert len(versions) == (merged.kind == Kind.DETECTION).sum()
