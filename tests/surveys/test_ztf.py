"""ZTF alerts: what each field becomes, and that what is missing is missing."""

import math

import astropy.units as u
import numpy as np
import pytest

from broker_classifier.errors import DecodeError, SchemaError
from broker_classifier.light_curve import Kind
from broker_classifier.surveys.avro.project_decoded import project_decoded
from broker_classifier.surveys.ztf import LAYOUT, alerts
from tests.ztf_packets import SCHEMA, alert, container, decode, decode_batch, measurement

FORCED = {"jd": 2460000.5, "fid": 1, "forcediffimflux": 250.0, "forcediffimfluxunc": 10.0}


def from_record(record):
    """Read a decoded record, which need not have what its schema demands."""
    [result] = alerts(project_decoded([record], LAYOUT))
    if isinstance(result, SchemaError):
        raise result
    return result


def test_the_new_detection_is_the_alert():
    new = measurement(60003.0, fid=2, mag=17.5, candid=2**53 + 1)
    decoded = decode(container(alert("ZTF18abc", [new])))
    assert (decoded.survey, decoded.object_id, decoded.mjd) == ("ztf", "ZTF18abc", 60003.0)
    assert decoded.alert_id == 2**53 + 1
    assert (decoded.ra, decoded.dec, decoded.decline) == (150.0, 2.0, None)


def test_magnitudes_become_ab_nanojansky():
    decoded = decode(container(alert("ZTF18abc", [measurement(60003.0, mag=17.5)])))
    expected = (17.5 * u.ABmag).to_value(u.nJy)
    assert decoded.curve.psf_flux[0] == pytest.approx(expected, rel=1e-6)
    assert decoded.curve.psf_flux_err[0] == pytest.approx(expected * 0.05 * math.log(10) / 2.5)


@pytest.mark.parametrize(("sign", "expected"), [("t", 1), ("1", 1), ("f", -1), ("0", -1)])
def test_the_sign_of_the_subtraction_is_the_sign_of_the_flux(sign, expected):
    decoded = decode(container(alert("Z", [measurement(60000.0, isdiffpos=sign)])))
    assert math.copysign(1, decoded.curve.psf_flux[0]) == expected


def test_history_brings_detections_and_upper_limits():
    past = [measurement(60000.0, fid=1, mag=None), measurement(60001.0, fid=3)]
    curve = decode(container(alert("Z", [*past, measurement(60002.0)]))).curve
    assert curve.kind.tolist() == [Kind.UPPER_LIMIT, Kind.DETECTION, Kind.DETECTION]
    assert curve.band.tolist() == [1, 3, 2]
    assert math.isnan(curve.psf_flux[0])
    assert curve.psf_flux_err[0] * 5 == pytest.approx((20.5 * u.ABmag).to_value(u.nJy))


def test_forced_photometry_is_read_with_its_zero_point():
    forced = FORCED | {"magzpsci": 26.3}
    curve = decode(container(alert("Z", [measurement(60002.0)], fp_hists=[forced]))).curve
    expected = ((26.3 - 2.5 * math.log10(250.0)) * u.ABmag).to_value(u.nJy)
    assert curve.kind.tolist() == [Kind.FORCED, Kind.DETECTION]
    assert curve.psf_flux[0] == pytest.approx(expected, rel=1e-6)
    assert curve.psf_flux_err[0] == pytest.approx(expected / 25.0, rel=1e-6)


@pytest.mark.parametrize("missing", ["forcediffimflux", "forcediffimfluxunc", "magzpsci"])
@pytest.mark.parametrize("sentinel", [-99999.0, None, math.nan])
def test_forced_photometry_with_a_missing_value_is_left_out(missing, sentinel):
    forced = FORCED | {"magzpsci": 26.3} | {missing: sentinel}
    curve = decode(container(alert("Z", [measurement(60002.0)], fp_hists=[forced]))).curve
    assert curve.kind.tolist() == [Kind.DETECTION]


def test_a_detection_is_one_fact_in_its_own_packet_and_in_later_histories():
    own = measurement(60000.0, mag=15.662269592285156, sigmapsf=0.027713365852832794)
    repeated = own | {"magpsf": 15.6623, "sigmapsf": 0.027713}
    first = decode(container(alert("Z", [own]))).curve
    later = decode(container(alert("Z", [repeated, measurement(60003.0)]))).curve
    assert later.merge(first) == later


def test_a_schema_without_histories_is_no_obstacle():
    fields = [
        field for field in SCHEMA["fields"] if field["name"] not in ("prv_candidates", "fp_hists")
    ]
    packet = container(alert("Z", [measurement(60000.0)]), schema=SCHEMA | {"fields": fields})
    assert len(decode(packet).curve) == 1


@pytest.mark.parametrize("name", ["objectId", "candid"])
def test_an_alert_without_identity_is_refused(name):
    record = alert("Z", [measurement(60000.0, candid=None)]) | {name: None}
    with pytest.raises(SchemaError, match=name):
        from_record(record)


def test_an_alert_without_a_time_is_refused():
    record = alert("Z", [measurement(60000.0)])
    del record["candidate"]["jd"]
    with pytest.raises(SchemaError, match="jd"):
        from_record(record)


def test_an_alert_without_a_magnitude_is_declined():
    record = alert("Z", [measurement(60000.0, mag=None, candid=7)])
    assert from_record(record).decline == "no_photometry"


def test_a_record_that_is_no_alert_is_refused():
    schema = {"type": "record", "name": "other", "fields": [{"name": "x", "type": "int"}]}
    with pytest.raises(SchemaError, match="candidate"):
        decode(container({"x": 1}, schema=schema))


def test_a_message_of_two_alerts_is_refused():
    record = alert("Z", [measurement(60000.0)])
    with pytest.raises(DecodeError, match="2 records"):
        decode(container(record, record))


def test_a_batch_of_any_packets_has_its_results_in_place():
    packets = [container(alert(f"Z{i}", [measurement(60000.0 + i)])) for i in range(4)]
    packets[1] = b"no packet"
    packets[2] = container(alert("Z2", [measurement(60002.0)]), codec="deflate")
    results = decode_batch(packets * 2)
    names = [None if isinstance(result, DecodeError) else result.object_id for result in results]
    assert names == ["Z0", None, "Z2", "Z3"] * 2
    assert [result.mjd for result in results if not isinstance(result, DecodeError)][:2] == [
        60000.0,
        60002.0,
    ]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_packet_means_the_same_the_first_time_and_later(codec):
    past = [measurement(60000.0), measurement(60001.0, mag=None)]
    packet = container(alert("Z", [*past, measurement(60002.0)]), codec=codec)
    assert decode(packet) == decode(packet) == decode_batch([packet] * 3)[2]


def test_a_known_header_with_a_broken_rest_is_refused():
    packet = container(alert("Z", [measurement(60000.0)]))
    decode(packet)
    for broken in (packet[:-1], packet + b"x", packet[:-16] + bytes(16), packet[:-40]):
        with pytest.raises(DecodeError):
            decode(broken)


def test_a_time_beyond_all_days_is_refused():
    with pytest.raises(SchemaError, match="jd"):
        decode(container(alert("Z", [measurement(1e305, candid=7)])))


@pytest.mark.parametrize("magnitude", [-1e4, -500.0, 1e5])
def test_a_flux_beyond_all_numbers_is_no_point(magnitude):
    decoded = decode(container(alert("Z", [measurement(60000.0, mag=magnitude)])))
    assert np.all(np.isfinite(decoded.curve.psf_flux))


def test_without_a_sign_in_the_schema_a_detection_is_positive():
    record = alert("Z", [measurement(60000.0)])
    del record["candidate"]["isdiffpos"]
    assert from_record(record).curve.psf_flux[0] > 0


def test_a_head_is_the_alert_without_its_history():
    past = [measurement(60000.0), measurement(60001.0, mag=None)]
    packet = container(alert("Z", [*past, measurement(60002.0)]))
    [head], whole = decode_batch.heads([packet]), decode(packet)
    assert (head.object_id, head.alert_id, head.mjd) == ("Z", whole.alert_id, 60002.0)
    assert head.curve.points.tolist() == whole.curve.points[-1:].tolist()
