"""Which objects a bundle is judged on by default, and what is said of those that it has seen."""

import shutil

import pandas as pd
import pytest

from broker_classifier.errors import DataError
from broker_classifier.training.data.labelled_objects import preferred_objects, read_objects
from broker_classifier.training.data.split import TEST, split_of
from broker_classifier.training.homogenise.homogenisation import HOMOGENISATION_FILE, Homogenisation
from broker_classifier.training.judge.judged_objects import ALL, chosen_split, read_judged
from tests.bundles import small_bundle
from tests.training.noises import plain_noise
from tests.training.synthetic import ALERT_SOURCE, CLASSES, write_data_set


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=90)


@pytest.fixture(scope="module")
def bundle(data, tmp_path_factory):
    """A bundle whose record says that it was trained on the data."""
    folder = tmp_path_factory.mktemp("bundle")
    objects = preferred_objects(read_objects(data, CLASSES))
    tested = [o.label for o in objects if split_of(o.canonical_id) == TEST]
    record = {
        "data": "made-up",
        "n_objects": {TEST: {name: tested.count(name) for name in CLASSES}},
        "recipe": "none",
        "commit": "none",
        "seed": 0,
        "date": "2026-01-01",
    }
    small_bundle(folder, training=record)
    rules = Homogenisation(alert_sources=(ALERT_SOURCE,), noise=plain_noise())
    (folder / HOMOGENISATION_FILE).write_text(rules.model_dump_json())
    return folder


def parts(judged):
    return {split_of(example.canonical_id) for example in judged.examples}


def test_of_its_own_data_those_are_judged_that_it_has_not_seen(bundle, data):
    judged = read_judged(bundle, data)
    assert (judged.split, parts(judged)) == (TEST, {TEST})
    assert "has seen none of them" in judged.told("made-up")


def test_its_own_data_are_known_under_another_name(bundle, data, tmp_path):
    judged = read_judged(bundle, shutil.copytree(data, tmp_path / "copy"))
    assert parts(judged) == {TEST}


def test_of_other_data_all_are_judged(bundle, data, tmp_path):
    other = write_data_set(tmp_path / "other", n_objects=60, prefix="other")
    judged = read_judged(bundle, other)
    assert judged.split == ALL
    assert len(parts(judged)) == 3
    assert "not trained on these data" in judged.told("other")


def test_who_judges_what_was_seen_is_warned(bundle, data):
    judged = read_judged(bundle, data, ALL)
    n_seen = sum(split_of(e.canonical_id) != TEST for e in judged.examples)
    line = judged.told("made-up")
    assert f"on the {len(judged.examples)} objects of made-up" in line
    assert f"WARNING: it has seen {n_seen} of them in training" in line


def test_a_part_without_objects_is_named(bundle, tmp_path):
    few = write_data_set(tmp_path / "few", n_objects=9, prefix="few")
    parts = {split_of(o.canonical_id) for o in read_objects(few, CLASSES)}
    assert TEST not in parts
    with pytest.raises(DataError, match="No object of few is in the part 'test'"):
        read_judged(bundle, few, TEST)


def test_a_gate_knows_who_has_trained_also_where_all_are_judged(bundle, data):
    names = pd.read_csv(data / "objects.csv")["canonical_id"]
    evidence = read_judged(bundle, data, ALL).evidence
    assert [evidence.has_trained(n) for n in names] == [split_of(n) == "train" for n in names]


def test_a_split_that_is_none_is_refused():
    with pytest.raises(DataError, match="'holdout': use auto, all, train, validation, test"):
        chosen_split("holdout", is_own_data=True)
