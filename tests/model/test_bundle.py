import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from broker_classifier.errors import BundleError
from broker_classifier.model.bundle import load_bundle
from tests.bundles import CLASSES, small_bundle


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "small"
    small_bundle(folder)
    return folder


@pytest.fixture
def folder(intact, tmp_path):
    return shutil.copytree(intact, tmp_path / "small")


def rewrite(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def resign(folder):
    """Make the recorded sha256 that of the weights, as a careless person would."""
    sha256 = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    rewrite(folder / "bundle.json", lambda d: d.update(weights_sha256=sha256))


def test_a_bundle_reads_back_as_it_was_written(folder):
    bundle = load_bundle(folder)
    assert (bundle.name, bundle.version, bundle.survey) == ("small", "0.1.0", "ztf")
    assert bundle.classes == CLASSES


def test_the_hash_covers_weights_and_description(folder):
    weights, text = (
        (folder / name).read_bytes() for name in ("weights.safetensors", "bundle.json")
    )
    assert load_bundle(folder).hash == hashlib.sha256(weights + text).hexdigest()
    rewrite(folder / "bundle.json", lambda d: d.update(version="0.1.1"))
    assert load_bundle(folder).hash != hashlib.sha256(weights + text).hexdigest()


@pytest.mark.parametrize("name", ["weights.safetensors", "golden.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: cannot be read.*Restore the folder"):
        load_bundle(folder)


def test_a_folder_that_is_no_bundle_is_called_so(folder):
    (folder / "bundle.json").unlink()
    with pytest.raises(BundleError, match=r"is no bundle, it has no bundle\.json: name the folder"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "golden.json"])
def test_a_truncated_file_is_named(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["bundle.json", "golden.json"])
def test_bytes_that_are_no_text_are_refused(folder, name):
    (folder / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["selection"].update(snr=5), "selection.snr"),
        (lambda d: d["normalisation"].update(flux_scale_njy=0), "flux_scale_njy"),
        (lambda d: d.pop("classes"), "classes"),
        (lambda d: d.update(format_version=2), "format_version"),
        (lambda d: d.update(architecture="oracle"), "'oracle' is unknown"),
        (lambda d: d["config"].update(layers=3), "layers"),
        (lambda d: d["config"].pop("n_classes"), "n_classes"),
        (lambda d: d["classes"].append("KN"), "4 classes"),
        (lambda d: d["selection"].update(bands=["g"]), "channels"),
        (lambda d: d["selection"].update(bands=["g", "w"]), "bands"),
        (lambda d: d["calibration"].update(prior=[0.5, 0.4, 0.2]), "prior"),
        (lambda d: d.update(weights_sha256="0" * 64), "sha256"),
    ],
)
def test_a_wrong_description_is_refused_by_the_name_of_its_field(folder, change, complaint):
    rewrite(folder / "bundle.json", change)
    with pytest.raises(BundleError, match=complaint):
        load_bundle(folder)


def test_weights_of_another_architecture_are_refused(folder):
    rewrite(folder / "bundle.json", lambda d: d["config"].update(hidden=13))
    with pytest.raises(BundleError, match=r"weights.safetensors: not the weights"):
        load_bundle(folder)


def test_weights_that_are_not_finite_are_refused(folder):
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    tensors["output.bias"][0] = torch.nan
    save_file(tensors, path)
    resign(folder)
    with pytest.raises(BundleError, match="not finite"):
        load_bundle(folder)


def test_altered_weights_that_are_well_signed_fail_the_golden_cases(folder):
    path = folder / "weights.safetensors"
    tensors = load_file(path)
    tensors["output.bias"][0] += 0.1
    save_file(tensors, path)
    resign(folder)
    with pytest.raises(BundleError, match=r"golden.json: case 'made_up_0' is off by"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda g: g.update(cases=[]), "cases"),
        (lambda g: g["cases"][0].update(band=["w"] * len(g["cases"][0]["band"])), "no light curve"),
        (lambda g: g["cases"][0].update(mjd=[]), "no light curve"),
        (lambda g: g["cases"][0].update(probabilities=[1.0]), "does not give 1 values"),
    ],
)
def test_broken_golden_cases_are_refused(folder, change, complaint):
    rewrite(folder / "golden.json", change)
    with pytest.raises(BundleError, match=complaint):
        load_bundle(folder)


def test_writing_twice_gives_the_same_bytes(folder, tmp_path):
    small_bundle(tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_the_golden_values_are_probabilities(folder):
    for case in json.loads((folder / "golden.json").read_text())["cases"]:
        assert np.isclose(sum(case["probabilities"]), 1.0)
