import subprocess
import sys
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from broker_classifier.cli.find_curve import find_curve, labelled_curve
from broker_classifier.config import Settings
from broker_classifier.errors import DataError
from broker_classifier.service.serve import classify_files
from broker_classifier.store import ANSWERED, EmbeddedStore, ObjectRecord
from broker_classifier.store.valkey import ValkeyStore
from broker_classifier.training.homogenise.homogenisation import HOMOGENISATION_FILE, Homogenisation
from tests.bundles import small_bundle
from tests.curves import detections
from tests.training.noises import plain_noise
from tests.training.synthetic import ALERT_SOURCE, write_data_set
from tests.valkey_servers import server
from tests.ztf_packets import decode_batch, flare


@pytest.fixture
def night(tmp_path):
    """The alerts of two objects, a file each, and a broken one."""
    folder = tmp_path / "night"
    folder.mkdir()
    for name in ("ZTF1", "ZTF2"):
        for i, packet in enumerate(flare(name)):
            (folder / f"{name}-{i}.avro").write_bytes(packet)
    (folder / "broken.avro").write_bytes(b"Obj\x01nothing")
    return folder


def whole(name):
    """Merge the packets of an object."""
    alerts = decode_batch(flare(name))
    return alerts[0].curve.merge(*(alert.curve for alert in alerts[1:]))


def test_the_alerts_of_an_object_are_united(night):
    assert find_curve(str(night), "ztf", Settings(), "ZTF2") == ("ZTF2", "ztf", whole("ZTF2"))


def test_the_only_object_of_a_file_needs_no_name(night):
    last = night / "ZTF1-5.avro"
    shown = find_curve(str(last), "ztf", Settings())
    assert (shown.object_id, len(shown.curve)) == ("ZTF1", 6)


@pytest.mark.parametrize(
    ("wanted", "said"), [(None, "2 objects .ZTF1, ZTF2.: name one"), ("ZTF3", "ZTF3 is not among")]
)
def test_of_several_objects_one_must_be_named(night, wanted, said):
    with pytest.raises(DataError, match=said):
        find_curve(str(night), "ztf", Settings(), wanted)


def test_a_file_without_a_readable_alert_says_why(night):
    with pytest.raises(DataError, match=r"No light curve can be read from .*broken"):
        find_curve(str(night / "broken.avro"), "ztf", Settings())


def test_results_give_the_light_curve_as_it_was_classified(night, tmp_path):
    small_bundle(tmp_path / "bundle")
    settings = Settings(surveys={"ztf": {"bundle": tmp_path / "bundle"}})
    classify_files(settings, [night], "ztf", tmp_path / "night.jsonl")
    results = tmp_path / "night.jsonl"
    _, survey, curve = find_curve(str(results), "lsst", Settings(), "ZTF1")
    assert survey == "ztf"
    expected = whole("ZTF1")
    assert curve.points["flags"].tolist() == expected.points["flags"].tolist()
    for column in ("mjd", "psf_flux", "psf_flux_err"):
        np.testing.assert_allclose(curve.points[column], expected.points[column], rtol=1e-6)
    results.write_bytes(results.read_bytes() + b"{broken\n")
    with pytest.raises(DataError, match=r"Line \d+ of .*night.jsonl is no classification"):
        find_curve(str(results), "ztf", Settings(), "ZTF1")


def test_an_object_is_found_in_the_store_while_a_service_has_it_open(tmp_path):
    curve = detections([59000.0, 59003.0], [2e4, 3e4])
    settings = Settings(store={"path": str(tmp_path / "store")})
    with closing(EmbeddedStore(tmp_path / "store")) as store:
        record = ObjectRecord(curve, np.empty(0, dtype=ANSWERED))
        store.put({"ztf:ZTF1": record}, {"ztf:ZTF1": 0}, 0.0)
        asked = (
            "from broker_classifier.config import Settings\n"
            "from broker_classifier.cli.find_curve import find_curve\n"
            f"settings = Settings(store={{'path': {settings.store.path!r}}})\n"
            "print(find_curve('ZTF1', 'ztf', settings).curve.to_bytes().hex())"
        )
        command = [sys.executable, "-c", asked]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert bytes.fromhex(shown.stdout) == curve.to_bytes()
    with pytest.raises(DataError, match="has no ztf object"):
        find_curve("ZTF2", "ztf", settings)


def test_an_object_is_found_in_a_store_on_a_server(tmp_path):
    curve = detections([59000.0, 59003.0], [2e4, 3e4])
    with server(tmp_path) as started, closing(ValkeyStore(started.url)) as store:
        record = ObjectRecord(curve, np.empty(0, dtype=ANSWERED), version=1)
        store.put({"ztf:ZTF1": record}, {"ztf:ZTF1": 0}, 0.0)
        settings = Settings(store={"path": started.url})
        assert find_curve("ZTF1", None, settings) == ("ZTF1", "ztf", curve)
        with pytest.raises(DataError, match="has no object of this name"):
            find_curve("ZTF2", None, settings)


def test_a_name_that_is_nowhere_says_where_it_was_looked_for(tmp_path):
    settings = Settings(store={"path": str(tmp_path / "store")})
    with pytest.raises(DataError, match=r"no file ZTF1, and no light-curve store .*store.path"):
        find_curve("ZTF1", "ztf", settings)
    assert not (tmp_path / "store").exists()


def bundle_with_rules(folder):
    small_bundle(folder)
    rules = Homogenisation(alert_sources=(ALERT_SOURCE,), noise=plain_noise())
    (folder / HOMOGENISATION_FILE).write_text(rules.model_dump_json())


def test_of_a_labelled_object_the_episode_is_shown_that_evaluate_judges(tmp_path):
    bundle_with_rules(tmp_path / "bundle")
    data = write_data_set(tmp_path / "data", n_objects=12)
    points = pd.read_parquet(data / "photometry.parquet")
    late = points[points["object_id"] == "SNII0004@somebody"].tail(1)
    late = late.assign(mjd=late["mjd"] + 1000.0)
    _, before = labelled_curve(data, "SNII0004", tmp_path / "bundle")
    pd.concat([points, late]).to_parquet(data / "photometry.parquet")
    _, after = labelled_curve(data, "SNII0004", tmp_path / "bundle")
    assert after.curve == before.curve


def test_an_object_of_a_labelled_set_is_found_by_either_of_its_names(tmp_path):
    bundle_with_rules(tmp_path / "bundle")
    data = write_data_set(tmp_path / "data", n_objects=12)
    shown = [
        labelled_curve(data, name, tmp_path / "bundle")
        for name in ("SNII0004", "SNII0004@somebody")
    ]
    assert shown[0][0] == shown[1][0] == "SNII"
    assert shown[0][1].curve == shown[1][1].curve
    assert len(shown[0][1].curve) > 5
    with pytest.raises(DataError, match="no object SN9999"):
        labelled_curve(data, "SN9999", tmp_path / "bundle")
