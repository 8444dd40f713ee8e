import hashlib

import pytest

from broker_classifier.training.split import split_of


def test_the_shares_are_eighty_ten_ten():
    found = [split_of(f"SN2026{i}") for i in range(20000)]
    shares = [found.count(name) / len(found) for name in ("train", "validation", "test")]
    assert shares == pytest.approx([0.80, 0.10, 0.10], abs=0.01)


@pytest.mark.parametrize("name", ["AT2018hco", "SN2020abc", "ZTF21abiuvdk"])
def test_anybody_can_redo_the_split(name):
    digest = hashlib.sha256(f"broker-classifier 2026/{name}".encode()).hexdigest()
    hundredth = int(digest[:16], 16) % 100
    expected = "train" if hundredth < 80 else "validation" if hundredth < 90 else "test"
    assert split_of(name) == expected


@pytest.mark.data
def test_no_real_object_is_in_two_splits(shared_data):
    import pandas as pd

    table = pd.read_csv(shared_data / "ztf-labelled" / "objects.csv", dtype=str)
    splits = table["canonical_id"].map(split_of).groupby(table["canonical_id"]).nunique()
    assert splits.max() == 1
