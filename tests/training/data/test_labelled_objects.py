import numpy as np
import pandas as pd
import pytest

from broker_classifier.errors import DataError
from broker_classifier.training.data.labelled_objects import (
    labels_left_out,
    preferred_objects,
    read_objects,
)

OBJECTS = {"object_id": ["a", "b", "c"], "label": ["SNIa", "other", "SNIa"]}
POINTS = {
    "object_id": ["a", "c", "a", "a", "a", "a"],
    "mjd": [3.0, 1.0, 1.0, 2.0, 2.5, 2.7],
    "band": ["r", "r", "g", "g", "g", "G"],
    "flux_njy": [30.0, 5.0, 10.0, float("nan"), 7.0, 8.0],
    "flux_err_njy": [1.0, 1.0, 2.0, 3.0, 0.0, 1.0],
}


def write(folder, objects, points):
    pd.DataFrame(objects).to_csv(folder / "objects.csv", index=False)
    pd.DataFrame(points).to_parquet(folder / "photometry.parquet")
    return folder


def test_points_are_sorted_and_unusable_ones_left_out(tmp_path):
    first, _ = read_objects(write(tmp_path, OBJECTS, POINTS), ["SNIa"])
    assert first.mjd.tolist() == [1.0, 3.0]
    assert first.band.tolist() == [1, 2]
    assert (first.flux.tolist(), first.flux_err.tolist()) == ([10.0, 30.0], [2.0, 1.0])


def test_a_set_without_the_optional_columns_is_read(tmp_path):
    first, second = read_objects(write(tmp_path, OBJECTS, POINTS), ["SNIa"])
    assert (first.canonical_id, first.source, second.canonical_id) == ("a", tmp_path.name, "c")


def test_objects_of_other_classes_are_ignored(tmp_path):
    kept = read_objects(write(tmp_path, OBJECTS, POINTS), ["SNIa", "AGN"])
    assert [o.object_id for o in kept] == ["a", "c"]


def test_labels_of_no_class_are_counted(tmp_path):
    folder = write(tmp_path, OBJECTS | {"label": ["SNIa", None, "KN"]}, POINTS)
    assert labels_left_out(folder, ["SNIa"]) == {"": 1, "KN": 1}


def test_the_spectroscopic_type_and_what_was_forced_are_read(tmp_path):
    objects = OBJECTS | {"raw_type": ["SN Ia", "?", None]}
    points = POINTS | {"forced": [False, True, True, False, False, False]}
    first, second = read_objects(write(tmp_path, objects, points), ["SNIa"])
    assert [(o.raw_type, o.is_forced) for o in (first, second)] == [("SN Ia", True), ("", True)]


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (["SNII", "SNIIn"], ["SNIIn", "SNII"]),
        (["SNII"], ["SNII", "SNII"]),
        (["SNIIn"], ["SNIIn"]),
        (["SNIa", "SNIIn"], ["SNIIn", "SNIa"]),
    ],
)
def test_a_class_of_one_spectroscopic_type_takes_its_objects_from_their_label(
    tmp_path, classes, labels
):
    names = {"label": ["SNII", "SNII", "SNIa"], "raw_type": ["SN IIn", "SN II", "SN Ia"]}
    folder = write(tmp_path, OBJECTS | names, POINTS)
    assert [o.label for o in read_objects(folder, classes)] == labels
    assert sum(labels_left_out(folder, classes).values()) == 3 - len(labels)


def test_a_set_that_does_not_say_what_was_forced_is_unknown(tmp_path):
    first, _ = read_objects(write(tmp_path, OBJECTS, POINTS), ["SNIa"])
    assert first.is_forced is None


def test_numbers_as_ids_are_text(tmp_path):
    objects = {"object_id": [17, 18], "label": ["SNIa", "SNIa"]}
    points = {name: values[:2] for name, values in POINTS.items()} | {"object_id": [17, 18]}
    kept = read_objects(write(tmp_path, objects, points), ["SNIa"])
    assert [(o.object_id, len(o.mjd)) for o in kept] == [("17", 1), ("18", 1)]


def test_upper_limits_are_left_out(tmp_path):
    points = POINTS | {"is_upper_limit": [True, False, False, True, False, False]}
    first, _ = read_objects(write(tmp_path, OBJECTS, points), ["SNIa"])
    assert first.mjd.tolist() == [1.0]


def test_upper_limits_are_read_beside_the_points(tmp_path):
    points = POINTS | {"is_upper_limit": [True, False, False, True, True, True]}
    first, last = read_objects(write(tmp_path, OBJECTS, points), ["SNIa"])
    assert (first.limits.mjd.tolist(), first.limits.depth.tolist()) == ([2.0, 3.0], [3.0, 1.0])
    assert first.limits.of_band(1).mjd.tolist() == [2.0]
    assert len(last.limits.mjd) == 0


def test_points_of_an_object_are_chosen_together(tmp_path):
    first, _ = read_objects(write(tmp_path, OBJECTS, POINTS), ["SNIa"])
    later = first.at(np.array([1]))
    assert (later.mjd.tolist(), later.flux.tolist(), later.band.tolist()) == ([3.0], [30.0], [2])


def test_an_object_without_points_is_empty(tmp_path):
    points = {name: values[1:2] for name, values in POINTS.items()}
    first, _ = read_objects(write(tmp_path, OBJECTS, points), ["SNIa"])
    assert len(first.mjd) == 0


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [([False, True], ["b"]), ([True, False], ["a"]), ([False, False], ["a"])],
)
def test_one_view_of_an_object_is_kept(tmp_path, preferred, chosen):
    views = {"object_id": ["a", "b"], "canonical_id": ["x", "x"], "label": ["SNIa", "SNIa"]}
    folder = write(tmp_path, views | {"preferred": preferred}, POINTS)
    assert [o.object_id for o in preferred_objects(read_objects(folder, ["SNIa"]))] == chosen


@pytest.mark.parametrize("name", ["objects.csv", "photometry.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    (write(tmp_path, OBJECTS, POINTS) / name).unlink()
    with pytest.raises(DataError, match=name):
        read_objects(tmp_path, ["SNIa"])


@pytest.mark.parametrize("name", ["objects.csv", "photometry.parquet"])
def test_a_file_of_another_kind_is_named(tmp_path, name):
    (write(tmp_path, OBJECTS, POINTS) / name).write_bytes(b"\xff\x00 not a table")
    with pytest.raises(DataError, match=name):
        read_objects(tmp_path, ["SNIa"])


def test_a_missing_column_is_named(tmp_path):
    points = {name: values for name, values in POINTS.items() if name != "flux_err_njy"}
    with pytest.raises(DataError, match="flux_err_njy"):
        read_objects(write(tmp_path, OBJECTS, points), ["SNIa"])


def test_folders_are_read_one_after_another(tmp_path):
    for name, ids in (("first", ["a", "b"]), ("second", ["c", "d"])):
        (tmp_path / name).mkdir()
        objects = {"object_id": ids, "label": ["SNIa", "SNIa"]}
        points = {key: values[:2] for key, values in POINTS.items()} | {"object_id": ids}
        write(tmp_path / name, objects, points)
    kept = read_objects([tmp_path / "second", tmp_path / "first"], ["SNIa"])
    assert [(o.object_id, o.source) for o in kept] == [
        ("c", "second"),
        ("d", "second"),
        ("a", "first"),
        ("b", "first"),
    ]


def test_an_object_in_two_folders_is_refused(tmp_path):
    folder = write(tmp_path, OBJECTS, POINTS)
    with pytest.raises(DataError, match="2 objects occur twice, a first"):
        read_objects([folder, folder], ["SNIa"])


def test_a_set_without_the_classes_is_refused(tmp_path):
    with pytest.raises(DataError, match="no object of TDE"):
        read_objects(write(tmp_path, OBJECTS, POINTS), ["TDE"])
