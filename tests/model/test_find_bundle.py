"""Bundles by path and by name, in a checkout and in an installed package."""

from pathlib import Path

import pytest

from broker_classifier.errors import BundleError
from broker_classifier.model.find_bundle import find_bundle, shipped_bundles
from tests.kafka_sources import TOP

NAMES = ["lsst-transients", "spcc", "ztf-kilonovae", "ztf-transients"]


def test_shipped_bundles_are_those_of_the_checkout():
    assert list(shipped_bundles()) == NAMES
    assert find_bundle("spcc") == TOP / "models" / "spcc"


def test_an_installed_package_has_them_inside(tmp_path, monkeypatch):
    package = tmp_path / "broker_classifier"
    for folder in (package / "bundles" / "inside", tmp_path / "models" / "beside"):
        folder.mkdir(parents=True)
        (folder / "bundle.json").touch()
    monkeypatch.setattr("broker_classifier.model.find_bundle._PACKAGE", package)
    assert shipped_bundles() == {"inside": package / "bundles" / "inside"}


def test_a_folder_that_exists_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spcc").mkdir()
    assert find_bundle("spcc") == Path("spcc")
    assert find_bundle(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ztf-transient", "did you mean ztf-transients?"),
        (Path("models/ztf-kilonova"), "did you mean ztf-kilonovae?"),
        ("nonsense", "give a folder, or a name"),
    ],
)
def test_what_is_neither_is_refused_with_what_there_is(name, advice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="no folder and no shipped bundle") as refused:
        find_bundle(name)
    assert advice in str(refused.value)
    assert ", ".join(NAMES) in str(refused.value)
