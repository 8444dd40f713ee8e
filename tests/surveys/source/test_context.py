"""What packets of each survey say of the source; what they do not say is None, never a number."""

import json

import numpy as np
import orjson
import pytest

from broker_classifier.surveys import lasair, lsst
from broker_classifier.surveys.source.context import NOTHING_SAID, galactic_latitude
from tests.surveys.lsst_packets import framed, packet, parsed, source, tai
from tests.surveys.mutations import OneSchema
from tests.ztf_packets import JD_OFFSET, alert, container, decode, measurement

SAID = {
    "drb": 0.97,
    "rb": 0.6,
    "ssdistnr": 12.0,
    "ssnamenr": "17495",
    "distpsnr1": 0.5,
    "sgscore1": 0.9,
    "srmag1": 17.5,
    "szmag1": 17.0,
    "neargaia": 0.25,
    "maggaia": 17.0,
    "distnr": 1.0,
    "magnr": 20.0,
    "jdstarthist": 59900.5 + JD_OFFSET,
    "ndethist": 40.0,
    "ncovhist": 900.0,
}
SCORES = {"drb": None, "rb": None}


def ztf(*past, **said):
    return decode(container(alert("Z", [*past, measurement(60000.0, **said)]))).context


def one_lsst(content):
    [read] = lsst.decoder(OneSchema(orjson.dumps(parsed())))([framed(content)])
    return read


def test_a_ztf_packet_says_what_its_candidate_has():
    context = ztf(**SAID)
    assert (context.reliability, context.reliability_score) == (0.97, "drb")
    assert (context.solar_system_arcsec, context.solar_system_name) == (12.0, "17495")
    assert (context.catalogue_arcsec, context.star_score) == (0.5, 0.9)
    assert (context.catalogue_magnitude, context.catalogue_colour) == (17.5, 0.5)
    assert context.gaia_arcsec == 0.25
    assert (context.gaia_magnitude, context.first_detection_mjd) == (17.0, 59900.5)
    assert (context.n_detections, context.n_visits) == (40, 900)
    assert context.template_flux == pytest.approx(36307.8, abs=0.1)


@pytest.mark.parametrize("missing", [None, -999.0, -99999.0])
def test_what_ztf_has_no_number_for_is_none(missing):
    context = ztf(**dict.fromkeys(SAID, missing) | {"ssnamenr": None})
    names = {name for name, value in context._asdict().items() if value is not None}
    assert names == {
        *("first_detection_mjd", "n_detections", "n_negative", "n_sign_changes"),
        *("n_nights_of_each_sign", "galactic_latitude"),
    }


@pytest.mark.parametrize("name", ["null", "", None])
def test_a_solar_system_object_without_a_name_has_none(name):
    assert ztf(ssnamenr=name).solar_system_name is None


def test_a_packet_without_these_fields_says_nothing_of_them():
    record = alert("Z", [measurement(60000.0)])
    schema = {
        "type": "record",
        "name": "alert",
        "fields": [
            {"name": "objectId", "type": "string"},
            {"name": "candid", "type": "long"},
            {
                "name": "candidate",
                "type": {
                    "type": "record",
                    "name": "candidate",
                    "fields": [{"name": "jd", "type": "double"}, {"name": "fid", "type": "int"}],
                },
            },
        ],
    }
    context = decode(container(record, schema=schema)).context
    assert (context.reliability, context.star_score, context.galactic_latitude) == (None,) * 3


def test_drb_is_preferred_and_rb_taken_where_it_is_missing_or_was_not_computed():
    for drb in (None, -999.0, 0.0):
        context = ztf(drb=drb, rb=0.6)
        assert (context.reliability, context.reliability_score) == (0.6, "rb")
    assert ztf(**SCORES).reliability_score is None


@pytest.mark.parametrize(("pixels", "is_here"), [(1.4, True), (1.5, False), (None, False)])
def test_the_template_has_a_source_where_ztfs_reference_has_one_within_its_radius(pixels, is_here):
    assert (ztf(distnr=pixels, magnr=20.0).template_flux is not None) == is_here


def test_negative_detections_are_counted_and_compared_with_the_template():
    past = [measurement(59990.0, mag=21.0, isdiffpos="f"), measurement(59995.0, mag=None)]
    context = ztf(*past, distnr=0.1, magnr=18.5)
    assert (context.n_detections, context.n_negative) == (2, 1)
    assert context.negative_share == pytest.approx(0.1)


def test_the_first_detection_is_the_earliest_of_packet_and_history():
    past = [measurement(59990.0)]
    assert ztf(*past, jdstarthist=59995.0 + JD_OFFSET).first_detection_mjd == 59990.0
    assert ztf(*past, jdstarthist=59980.0 + JD_OFFSET).first_detection_mjd == 59980.0


def test_an_lsst_alert_says_what_is_in_the_template():
    said = {"reliability": 0.875, "isDipole": False, "extendedness": 0.25}
    new = source(61000.0, flux=-500.0, templateFlux=2000.0, scienceFlux=1500.0, **said)
    about = {"diaObjectId": 7, "firstDiaSourceMjdTai": tai(60500.0), "nDiaSources": 12}
    context = one_lsst(packet(new, diaObject=about)).context
    assert (context.reliability, context.reliability_score) == (0.875, "reliability")
    assert (context.is_dipole, context.extendedness) == (False, 0.25)
    assert (context.template_flux, context.science_flux) == (2000.0, 1500.0)
    assert (context.first_detection_mjd, context.n_detections) == (60500.0, 12)
    assert (context.n_negative, context.negative_share) == (1, 0.25)


def test_what_an_lsst_alert_lacks_is_none():
    context = one_lsst(packet(source(61000.0))).context
    assert context.is_dipole is None
    assert (context.reliability, context.reliability_score, context.template_flux) == (None,) * 3
    assert (context.first_detection_mjd, context.n_detections) == (61000.0, 1)


@pytest.mark.parametrize("empty", [{"diaObjectId": None}, {"diaObjectId": 0}, None])
@pytest.mark.parametrize("object_id", [None, 0])
def test_a_solar_system_alert_of_lsst_may_have_an_empty_object(empty, object_id):
    new = source(61000.0, diaObjectId=object_id, ssObjectId=77)
    about = {"designation": "2004 JQ12", "ephOffset": 0.03}
    read = one_lsst(packet(new, diaObject=empty, ssSource=about))
    assert (read.decline, len(read.curve)) == ("solar_system", 0)
    assert read.context.solar_system_name == "2004 JQ12"
    assert read.context.solar_system_arcsec == pytest.approx(0.03)


def test_a_solar_system_object_without_designation_has_its_number():
    new = source(61000.0, diaObjectId=None, ssObjectId=77)
    assert one_lsst(packet(new, diaObject=None)).context.solar_system_name == "77"


def test_a_ztf_packet_as_json_says_the_same():
    record = alert("ZTF18abcdefg", [measurement(60000.0, **SAID)])
    [read] = lasair.decode_batch([json.dumps(record).encode()])
    context = decode(container(record)).context
    assert read.context == context


def test_a_row_of_lasair_says_what_its_select_has():
    row = {
        "objectId": "ZTF18abcdefg",
        "UTC": "2021-07-05 09:54:51",
        "SGSCORE1": 0.9,
        "distpsnr1": "0.5",
        "drb": 0.99,
        "jdmin": 59900.5 + JD_OFFSET,
        "sherlock_classification": "VS",
        "candidates": [measurement(60000.0)],
    }
    [read] = lasair.decode_batch([json.dumps(row).encode()])
    context = read.context
    assert (context.star_score, context.catalogue_arcsec) == (0.9, 0.5)
    assert (context.reliability, context.first_detection_mjd) == (0.99, 59900.5)
    assert (context.sherlock_class, context.gaia_arcsec) == ("VS", None)


def test_a_row_of_an_lsst_object_says_what_its_select_has():
    row = {
        "diaObjectId": 7,
        "latestR": 0.75,
        "nDiaSources": 12,
        "firstDiaSourceMjdTai": tai(60500.0),
        "classification": "SN",
        "alert": {"diaSourcesList": [source(61000.0)]},
    }
    [read] = lasair.decode_batch([json.dumps(row).encode()])
    context = read.context
    assert (context.reliability, context.n_detections) == (0.75, 12)
    assert (context.first_detection_mjd, context.sherlock_class) == (60500.0, "SN")


def test_a_row_without_light_curve_still_has_sherlocks_class():
    row = {"objectId": "ZTF18abcdefg", "UTC": "2021-07-05 09:54:51", "classification": "AGN"}
    [read] = lasair.decode_batch([json.dumps(row).encode()])
    assert read.context == NOTHING_SAID._replace(sherlock_class="AGN")


def test_galactic_latitude_is_astropys():
    coordinates = pytest.importorskip("astropy.coordinates")
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 100), np.degrees(np.arcsin(rng.uniform(-1, 1, 100)))
    known = coordinates.SkyCoord(ra, dec, unit="deg").galactic.b.deg
    np.testing.assert_allclose(galactic_latitude(ra, dec), known, atol=1e-4)
