"""ELAsTiCC alerts: bare records of a schema known beforehand, SNANA's zero point."""

import io

import fastavro
import orjson
import pytest

from broker_classifier.errors import DecodeError, SchemaError
from broker_classifier.light_curve import BANDS, Kind
from broker_classifier.surveys import elasticc
from broker_classifier.surveys.avro.schema_sources import schemas_in_folder
from tests.surveys.avro_schemas import record, written
from tests.surveys.lsst_packets import tai, utc

SOURCE = {
    "diaSourceId": "long",
    "midPointTai": "double",
    "filterName": "string",
    "ra": "double",
    "decl": "double",
    "psFlux": "float",
    "psFluxErr": "float",
}
SCHEMA = record(
    alertId="long",
    diaSource=record(**SOURCE) | {"name": "diaSource"},
    prvDiaSources=["null", {"type": "array", "items": "diaSource"}],
    diaObject=["null", record(diaObjectId="long") | {"name": "diaObject"}],
) | {"name": "alert"}


def source(mjd, band="r", flux=10.0):
    place = {"ra": 1.0, "decl": -2.0}
    return (
        {"diaSourceId": 5, "midPointTai": tai(mjd), "filterName": band}
        | place
        | {
            "psFlux": flux,
            "psFluxErr": 1.0,
        }
    )


def decode(*packets):
    return elasticc.decoder(orjson.dumps(SCHEMA))([written(SCHEMA, item) for item in packets])


def packet(new, past=None):
    return {"alertId": 1, "diaSource": new, "prvDiaSources": past, "diaObject": {"diaObjectId": 9}}


def test_a_flux_of_zero_point_27_5_becomes_nanojansky():
    [alert] = decode(packet(source(60000.0, flux=10.0)))
    # 10 units are magnitude 27.5 - 2.5 = 25, which is 363.078 nJy.
    assert alert.curve.psf_flux.tolist() == pytest.approx([363.078], rel=1e-5)


def test_an_alert_is_read_with_its_history():
    [alert] = decode(packet(source(60002.0), [source(60000.0, "Y"), source(60001.0, "u")]))
    assert (alert.survey, alert.object_id, alert.alert_id) == ("elasticc", "9", 5)
    assert (alert.mjd, alert.ra, alert.dec) == (60002.0, 1.0, -2.0)
    assert [BANDS[band] for band in alert.curve.band] == ["y", "u", "r"]


def test_bytes_that_do_not_fit_the_schema_are_refused():
    [error] = elasticc.decoder(orjson.dumps(SCHEMA))([b"\xff" * 30])
    assert isinstance(error, DecodeError)


def test_a_bare_record_without_a_schema_says_what_to_set():
    [error] = elasticc.decoder(b"")([written(SCHEMA, packet(source(60000.0)))])
    assert isinstance(error, SchemaError)
    assert "surveys.elasticc.schemas" in str(error)


@pytest.mark.data
def test_every_packet_is_what_fastavro_reads(shared_data):
    folder = shared_data / "alerts" / "elasticc"
    schema = schemas_in_folder(folder)["elasticc.v0_9_1.alert"]
    fluxes, files = 10 ** (0.4 * (31.4 - 27.5)), sorted(folder.glob("*.avro"))
    decode_batch = elasticc.decoder(schema)
    for file, alert in zip(files, decode_batch([f.read_bytes() for f in files]), strict=True):
        [content] = fastavro.reader(io.BytesIO(file.read_bytes()))
        past = content["prvDiaSources"] or []
        detections = {
            (utc(item["midPointTai"]), item["filterName"].lower()): item["psFlux"] * fluxes
            for item in [content["diaSource"], *past]
        }
        own = alert.curve.kind == Kind.DETECTION
        points = zip(alert.curve.mjd, alert.curve.band, alert.curve.psf_flux, own, strict=True)
        read = {(mjd, BANDS[band]): flux for mjd, band, flux, is_own in points if is_own}
        assert read == pytest.approx(detections, rel=1e-5)
