"""Lasair's rows: whose they are, their points and ids, and what becomes of curveless ones."""

import json

import astropy.units as u
import numpy as np
import pytest

from broker_classifier.errors import DecodeError, LightCurveUnavailableError, SchemaError
from broker_classifier.light_curve import BANDS, Kind
from broker_classifier.surveys.lasair import decode_batch, decoder
from tests.surveys.lasair_rows import LSST_ID, LSST_UTC, candidate, lite, row, source
from tests.surveys.lsst_packets import tai

ZTF_ID = "ZTF21abiuvdk"
POINTS = [source(60975.2, 28702.1), source(60983.2, 24162.2), source(60983.1, 10804.8, "g")]


def decode(message, apis=None):
    [alert] = decode_batch([message], apis)
    if isinstance(alert, Exception):
        raise alert
    return alert


class Api:
    """Answers from a dict; remembers what it was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def fetch(self, object_id, state):
        self.asked.append((object_id, state))
        answer = self.answers.get(object_id)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_lite_row_gives_its_points_in_njy_and_mjd():
    forced = (source(60990.5, -12.5, "z"),)
    alert = decode(row(diaObjectId=LSST_ID, alert=lite(*POINTS, forced=forced), UTC=LSST_UTC))
    assert (alert.survey, alert.object_id, alert.decline) == ("lsst", str(LSST_ID), None)
    assert alert.mjd == 60983.2
    assert alert.curve.mjd.tolist() == [60975.2, 60983.1, 60983.2, 60990.5]
    np.testing.assert_allclose(alert.curve.psf_flux, [28702.1, 10804.8, 24162.2, -12.5])
    assert "".join(BANDS[band] for band in alert.curve.band) == "igiz"
    assert alert.curve.kind.tolist() == [*[Kind.DETECTION] * 3, Kind.FORCED]


@pytest.mark.parametrize("column", ["diaObjectId", "diaobjectid", "objectId"])
@pytest.mark.parametrize("value", [LSST_ID, str(LSST_ID)])
def test_the_object_is_found_however_its_column_is_written(column, value):
    alert = decode(row(**{column: value}, alert=lite(*POINTS)))
    assert (alert.survey, alert.object_id) == ("lsst", str(LSST_ID))


@pytest.mark.parametrize("value", [float(LSST_ID), None, "", "AT2026abc", True])
def test_a_row_whose_id_is_missing_or_has_lost_digits_is_an_error(value):
    with pytest.raises(SchemaError, match="diaObjectId"):
        decode(row(diaObjectId=value, alert=lite(*POINTS)))


def test_numbers_may_be_strings_and_missing_ones_nan():
    as_text = {name: str(value) for name, value in POINTS[0].items()}
    unusable = [source(60984.0, float("nan")), source(float("nan")), source(60970.0, band="?")]
    alert = decode(
        row(diaObjectId=LSST_ID, ra="9.05", decl=float("nan"), alert=lite(as_text, *unusable))
    )
    assert alert.curve.mjd.tolist() == [60975.2]
    assert (alert.ra, alert.dec) == (9.05, None)
    assert (alert.mjd, alert.decline) == (60984.0, "no_photometry")


def test_a_full_row_has_the_surveys_own_id_and_its_withdrawals():
    new = source(60983.2, diaSourceId=313673107864813598, timeWithdrawnMjdTai=float("nan"))
    old = source(60975.2, diaSourceId=3, timeWithdrawnMjdTai=60980.0)
    alert = decode(row(objectId=LSST_ID, alert=lite(new, old)))
    assert alert.alert_id == 313673107864813598
    assert alert.curve.is_withdrawn.tolist() == [True, False]


def test_one_detection_has_one_id_in_every_lite_row_and_another_one_another():
    def alert_id(*sources, **columns):
        return decode(row(diaObjectId=LSST_ID, alert=lite(*sources), **columns)).alert_id

    first = alert_id(*POINTS, UTC=LSST_UTC)
    assert first == alert_id(*reversed(POINTS), gal_lat="3")
    assert first == alert_id(source(60983.2, midpointMjdTai=str(tai(60983.2))))
    assert first != alert_id(*POINTS, source(60990.0))
    assert 0 < first < 2**63


def test_a_row_without_light_curve_is_declined_where_no_api_can_be_asked():
    [alert] = decode_batch([row(objectId=ZTF_ID, ramean=150.5, decmean=2.5, UTC=LSST_UTC)])
    assert (alert.survey, alert.object_id, alert.decline) == ("ztf", ZTF_ID, "no_light_curve")
    assert (len(alert.curve), alert.ra, alert.dec) == (0, 150.5, 2.5)
    assert alert.mjd == pytest.approx(60983 + 5 / 24)


def test_a_declined_row_does_not_take_the_id_of_its_detection():
    columns = {"diaObjectId": LSST_ID, "lastDiaSourceMjdTai": tai(60983.2)}
    declined, read = decode(row(**columns)), decode(row(**columns, alert=lite(*POINTS)))
    assert declined.mjd == read.mjd
    assert declined.alert_id != read.alert_id


@pytest.mark.parametrize("light_curve", [None, {}, lite(), "gone"])
def test_a_missing_light_curve_is_fetched(light_curve):
    api = Api({str(LSST_ID): {"diaObjectId": LSST_ID, **lite(*POINTS)}})
    [alert] = decoder({"lsst": api})([row(diaObjectId=LSST_ID, alert=light_curve, UTC=LSST_UTC)])
    assert (alert.mjd, len(alert.curve), alert.decline) == (60983.2, 3, None)
    assert [object_id for object_id, _ in api.asked] == [str(LSST_ID)]


def test_nothing_is_fetched_for_a_row_that_has_its_light_curve():
    api = Api({})
    decode(row(diaObjectId=LSST_ID, alert=lite(*POINTS)), {"lsst": api})
    assert api.asked == []


def test_the_alert_is_the_rows_even_if_the_api_knows_a_later_detection():
    api = Api({str(LSST_ID): lite(*POINTS)})
    columns = {"diaObjectId": LSST_ID, "lastDiaSourceMjdTai": str(tai(60975.2))}
    alert = decode(row(**columns), {"lsst": api})
    assert (alert.mjd, len(alert.curve)) == (60975.2, 3)


def test_ztf_candidates_become_the_same_points_as_in_a_packet():
    negative = candidate(2459392.9, 1642, isdiffpos="f", magpsf="19.5")
    entries = [
        candidate(2459396.9, 1646413090815015011, 17.5),
        candidate(2459389.9, None),
        negative,
    ]
    api = Api({ZTF_ID: {"objectId": ZTF_ID, "candidates": entries}})
    alert = decode(row(objectId=ZTF_ID, UTC=LSST_UTC), {"ztf": api})
    assert (alert.survey, alert.alert_id, alert.ra) == ("ztf", 1646413090815015011, 150.0)
    assert alert.mjd == pytest.approx(59396.4)
    assert alert.curve.kind.tolist() == [Kind.UPPER_LIMIT, Kind.DETECTION, Kind.DETECTION]
    njy = [(mag * u.ABmag).to_value(u.nJy) for mag in (20.5, 19.5, 17.5)]
    np.testing.assert_allclose(alert.curve.psf_flux[1:], [-njy[1], njy[2]], rtol=1e-6)
    assert alert.curve.psf_flux_err[0] == pytest.approx(njy[0] / 5, rel=1e-6)


def test_the_alert_of_a_ztf_row_is_the_one_at_its_jdmax():
    entries = [candidate(2459396.9, 2), candidate(2459392.9, 1)]
    api = Api({ZTF_ID: {"candidates": entries}})
    assert decode(row(objectId=ZTF_ID, jdmax=2459392.9), {"ztf": api}).alert_id == 1


def test_a_fetch_that_fails_is_the_error_of_its_row_alone():
    down = Api({str(LSST_ID): LightCurveUnavailableError("down")})
    rows = [row(diaObjectId=LSST_ID), row(diaObjectId=LSST_ID, alert=lite(*POINTS)), b"{"]
    first, second, third = decode_batch(rows, {"lsst": down})
    assert isinstance(first, LightCurveUnavailableError)
    assert second.curve.mjd.tolist() == [60975.2, 60983.1, 60983.2]
    assert isinstance(third, DecodeError)


@pytest.mark.parametrize("message", [b"", b"\xff\xfe", b"[1, 2]", b"7", b'{"a": 1}', b"[" * 9999])
def test_what_is_no_row_is_an_error(message):
    with pytest.raises((DecodeError, SchemaError)):
        decode(message)


def test_a_row_that_says_nothing_of_time_is_an_error():
    with pytest.raises(SchemaError, match="UTC"):
        decode(row(diaObjectId=LSST_ID))


def test_an_lsst_packet_in_json_is_the_alert_of_its_own_source():
    new = source(60983.2, diaSourceId=7, diaObjectId=LSST_ID, ra=9.0, dec=-44.1)
    packet = {"diaSource": new, "prvDiaSources": [source(60975.2)], "prvDiaForcedSources": None}
    alert = decode(row(**packet, diaObject={"diaObjectId": LSST_ID}))
    assert (alert.object_id, alert.alert_id, alert.mjd) == (str(LSST_ID), 7, 60983.2)
    assert (len(alert.curve), alert.dec) == (2, -44.1)


def test_a_moving_object_is_declined_as_one():
    new = source(60983.2, diaSourceId=7, ssObjectId=21)
    assert decode(row(diaSource=new, diaObject=None)).decline == "solar_system"


@pytest.fixture(scope="module")
def answers(shared_data):
    return shared_data / "alerts" / "lasair-json"


@pytest.mark.data
def test_lasairs_own_full_and_lite_answers_are_one_light_curve(answers):
    full = (answers / "313637921267122191.json").read_bytes()
    in_full = decode(full)
    lists = json.loads((answers / "313637921267122191_lite.json").read_text())
    in_lite = decode(row(diaObjectId=LSST_ID, alert=lists, UTC=LSST_UTC))
    assert (in_full.object_id, in_full.alert_id) == (str(LSST_ID), 313673107864813598)
    assert in_full.curve == in_lite.curve
    assert (len(in_full.curve), in_full.mjd) == (8, 60983.2064262)
    assert in_full.curve.psf_flux[-1] == np.float32(24162.1953125)


@pytest.mark.data
def test_lasairs_objects_row_fetches_its_light_curve(answers):
    columns = (answers / "313637921267122191_object.json").read_bytes()
    lists = json.loads((answers / "313637921267122191_lite.json").read_text())
    api = Api({str(LSST_ID): lists})
    alert = decode(columns, {"lsst": api})
    assert (alert.mjd, len(alert.curve)) == (60983.2064262, 8)
    assert alert.ra == 9.057050050707765


@pytest.mark.data
def test_every_packet_in_json_is_read(answers):
    for file in [*answers.glob("ztf/*.json"), *answers.glob("alert-*/alert.json")]:
        packet, alert = json.loads(file.read_text()), decode(file.read_bytes())
        own = packet.get("candidate") or packet["diaSource"]
        assert alert.alert_id == (own.get("candid") or own["diaSourceId"])
        assert alert.decline is None
        assert alert.mjd in alert.curve.mjd
