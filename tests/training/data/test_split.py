import hashlib

import pytest

from broker_classifier.training.data.split import N_FOLDS, split_of


def test_the_shares_are_eighty_ten_ten():
    splits = [split_of(f"SN2026{i}") for i in range(20000)]
    shares = [splits.count(name) / len(splits) for name in ("train", "validation", "test")]
    assert shares == pytest.approx([0.80, 0.10, 0.10], abs=0.01)


@pytest.mark.parametrize("name", ["AT2018hco", "SN2020abc", "ZTF21abiuvdk"])
def test_anybody_can_redo_the_split(name):
    digest = hashlib.sha256(f"broker-classifier 2026/{name}".encode()).hexdigest()
    hundredth = int(digest[:16], 16) % 100
    expected = "train" if hundredth < 80 else "validation" if hundredth < 90 else "test"
    assert split_of(name) == expected


def test_every_object_is_tested_and_validates_in_one_fold_each():
    for i in range(1000):
        splits = [split_of(f"SN2026{i}", fold) for fold in range(N_FOLDS)]
        assert (splits.count("test"), splits.count("validation")) == (1, 1)


@pytest.mark.data
def test_no_real_object_is_in_two_splits(shared_data):
    import pandas as pd

    table = pd.read_csv(shared_data / "ztf-labelled" / "objects.csv", dtype=str)
    splits = table["canonical_id"].map(split_of).groupby(table["canonical_id"]).nunique()
    assert splits.max() == 1
