import csv
import gzip
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from broker_classifier.errors import DataError
from broker_classifier.training.data.plasticc import is_plasticc, read_plasticc
from tests.training.data.plasticc_files import POINTS_HEADER, write_plasticc, write_table

NAMES = ["SNIa", "SNIa-91bg", "SNIax", "SNII", "SNIbc", "SLSN-I", "TDE", "KN", "AGN"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_plasticc(tmp_path_factory.mktemp("plasticc"))


def lines(folder, object_id):
    """The rows of one object, by the csv module, from whatever file has them."""
    for path in sorted(folder.glob("*.csv*")):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for row in csv.DictReader(text.decode().splitlines()):
            if "flux" in row and row["object_id"] == object_id:
                yield row


def ids(objects):
    return [o.object_id for o in objects]


def test_training_and_test_set_are_read_in_the_posters_classes(folder):
    assert is_plasticc(folder)
    objects = read_plasticc(folder, per_class=1000)
    assert Counter(o.label for o in objects) == dict.fromkeys(NAMES, 24)


def test_every_point_is_there_in_njy_and_in_time(folder):
    for labelled in read_plasticc(folder, per_class=2)[::3]:
        rows = sorted(lines(folder, labelled.object_id), key=lambda r: float(r["mjd"]))
        assert len(rows) == 40
        assert labelled.mjd.tolist() == [float(r["mjd"]) for r in rows]
        assert labelled.band.tolist() == [int(r["passband"]) for r in rows]
        # AB magnitude 27.5 is 36.3078 nJy
        np.testing.assert_allclose(labelled.flux, [36.3078 * float(r["flux"]) for r in rows], 1e-5)
        np.testing.assert_allclose(labelled.flux_err, 36.3078 * 5.5, 1e-5)


def test_each_class_is_capped_and_chosen_by_the_seed(folder):
    few, again, others = (read_plasticc(folder, per_class=5, seed=s) for s in (1, 1, 2))
    assert Counter(o.label for o in few) == dict.fromkeys(NAMES, 5)
    assert ids(few) == ids(again)
    assert ids(few) != ids(others)
    assert set(ids(few)) < set(ids(read_plasticc(folder, per_class=9, seed=1)))


@pytest.mark.parametrize("rows_at_a_time", [7, 100, 10**6])
def test_the_size_of_the_pieces_and_the_order_of_rows_change_nothing(
    folder, tmp_path, rows_at_a_time
):
    for path in folder.iterdir():
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        header, *rows = text.decode().splitlines()
        np.random.default_rng(0).shuffle(rows)
        write_table(tmp_path / path.name, header, rows)
    chosen = read_plasticc(tmp_path, per_class=2, rows_at_a_time=rows_at_a_time)
    expected = read_plasticc(folder, per_class=2)
    assert ids(chosen) == ids(expected)
    for first, second in zip(chosen, expected, strict=True):
        np.testing.assert_array_equal(first.flux, second.flux)


def test_memory_is_bounded_by_the_sample_and_not_by_the_files(tmp_path):
    folder = write_plasticc(tmp_path, n_per_class=60, n_points=60)

    def peak(per_class):
        tracemalloc.start()
        read_plasticc(folder, per_class=per_class, rows_at_a_time=2000)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # what pandas loads the first time
    assert peak(2) < 0.4 * peak(120)


def test_an_object_without_a_light_curve_is_named(folder, tmp_path):
    for path in folder.glob("*metadata*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "training_set.csv").write_bytes((folder / "training_set.csv").read_bytes())
    with pytest.raises(DataError, match="no light curve of 108 objects"):
        read_plasticc(tmp_path, per_class=1000)


def test_light_curves_without_metadata_are_refused(folder, tmp_path):
    (tmp_path / "training_set.csv").write_bytes((folder / "training_set.csv").read_bytes())
    with pytest.raises(DataError, match="no metadata"):
        read_plasticc(tmp_path, per_class=1000)


def test_a_truncated_file_is_named(folder, tmp_path):
    for path in folder.iterdir():
        content = path.read_bytes()
        cut = len(content) // 2 if "lightcurves_02" in path.name else len(content)
        (tmp_path / path.name).write_bytes(content[:cut])
    with pytest.raises(DataError, match="lightcurves_02"):
        read_plasticc(tmp_path, per_class=1000)


def test_points_that_are_no_measurements_are_left_out(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = read_plasticc(folder, per_class=1)[0]
    bad = [f"{before.object_id},60000,{b},{f},{e},0" for b, f, e in
           [(1, "nan", 5), (1, 10, 0), (1, 10, -1), (9, 10, 5)]]  # fmt: skip
    write_table(tmp_path / "test_set_batch99.csv", POINTS_HEADER + "detected", bad)
    (after,) = [o for o in read_plasticc(tmp_path, per_class=1) if o.object_id == before.object_id]
    assert len(after.mjd) == len(before.mjd)
