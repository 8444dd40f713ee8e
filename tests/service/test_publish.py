"""The message: its JSON Schema, its numbers against the light curve, its headers."""

import math
import threading

import jsonschema
import orjson
import pytest

from broker_classifier.light_curve import BANDS, Kind
from broker_classifier.service.loop import run
from broker_classifier.streams.classification import (
    ContextMessage,
    json_schema,
    parse,
    published_schema,
)
from broker_classifier.surveys.source.context import Context
from tests.streets import BUNDLE, ListSource, Topic, street
from tests.ztf_packets import alert, container, decode, measurement

PAST = [
    measurement(59990.0, fid=1, mag=None),
    measurement(59995.0, fid=2, mag=18.5),
    measurement(59996.0, fid=3, mag=18.5),
    measurement(59997.0, fid=1, mag=18.5, isdiffpos="f"),
]
FORCED = {"jd": 2459991.5, "fid": 1, "forcediffimflux": 5.0, "forcediffimfluxunc": 3.0}
PACKET = container(
    alert(
        "ZTF24abc", [*PAST, measurement(60000.0, mag=18.0)], fp_hists=[FORCED | {"magzpsci": 26.0}]
    )
)


@pytest.fixture(scope="module")
def sent():
    opened = street(ListSource(Topic([PACKET])))
    run(opened, threading.Event())
    [message] = opened.sink.sent
    return message


def test_the_message_says_what_the_packet_says_of_the_source(sent):
    context = decode(PACKET).context
    assert parse(sent.value).context.model_dump() == context._asdict()
    assert tuple(ContextMessage.model_fields) == Context._fields


def test_the_published_schema_is_the_one_in_the_package():
    assert published_schema() == json_schema(), "renew it: see CONTRIBUTING.md"


def test_a_message_fits_the_published_schema(sent):
    content = orjson.loads(sent.value)
    jsonschema.validate(content, published_schema())
    assert content.keys() == published_schema()["properties"].keys()


def test_a_message_names_the_object_the_alert_and_the_model(sent):
    message = parse(sent.value)
    assert (message.survey, message.object_id, message.alert_id) == ("ztf", "ZTF24abc", 60000000)
    assert message.id == f"60000000:{BUNDLE.name}:{BUNDLE.version}"
    assert (message.model.name, message.model.hash) == (BUNDLE.name, BUNDLE.hash)
    assert message.times.observed.isoformat() == "2023-02-25T00:00:00+00:00"
    assert message.times.received.timestamp() == 1_700_000_000
    assert sent.key == b"ZTF24abc"


def test_probabilities_sum_to_one_and_the_class_is_the_largest(sent):
    message = parse(sent.value)
    assert sum(message.probabilities.values()) == pytest.approx(1.0, abs=1e-5)
    assert message.probabilities[message.top_class] == max(message.probabilities.values())
    assert message.probability == message.probabilities[message.top_class]


def test_headers_say_what_the_message_says(sent):
    message = parse(sent.value)
    assert sent.headers == {
        "id": message.id,
        "survey": "ztf",
        "model": BUNDLE.name,
        "class": message.top_class,
        "probability": f"{message.probability:.6f}",
        "bits": f"{message.information_bits:.4f}",
        "points": "2",
        "revised": "false",
        "curve_version": str(message.curve_version),
    }


def test_it_says_how_much_the_light_curve_said_and_what_under_equal_priors(sent):
    message = parse(sent.value)
    prior = dict(zip(BUNDLE.classes, BUNDLE.description.calibration.prior, strict=True))
    p = message.probabilities
    bits = sum(p[name] * math.log2(p[name] / prior[name]) for name in p if p[name] > 0)
    assert message.information_bits == pytest.approx(bits, abs=1e-3)
    ratio = {name: p[name] / prior[name] for name in p}
    expected = {name: ratio[name] / sum(ratio.values()) for name in p}
    assert message.probabilities_equal_prior == pytest.approx(expected, abs=1e-4)


def test_ids_beyond_2_to_the_53rd_are_there_as_text(sent):
    content = orjson.loads(sent.value)
    assert content["alert_id_str"] == str(content["alert_id"])


def test_a_message_of_schema_version_1_is_still_read(sent):
    content = orjson.loads(sent.value)
    new = {"alert_id_str", "information_bits", "probabilities_equal_prior"}
    old = {name: value for name, value in content.items() if name not in new}
    message = parse(orjson.dumps(old | {"schema_version": 1}))
    assert (message.information_bits, message.probabilities_equal_prior) == (None, {})
    assert message.alert_id_str == content["alert_id_str"]


def test_every_point_is_there_with_its_attention_or_the_reason_it_was_rejected(sent):
    message, curve = parse(sent.value), decode(PACKET).curve
    points = [(p.mjd, BANDS.index(p.band), p.kind) for p in message.light_curve]
    kinds = ["detection", "upper_limit", "forced"]
    assert points == [
        (mjd, band, kinds[kind])
        for mjd, band, kind in zip(curve.mjd, curve.band, curve.kind, strict=True)
    ]
    reasons = [point.rejected for point in message.light_curve]
    assert reasons == ["upper_limit", "forced", None, "band", "negative", None]
    attention = [point.attention for point in message.light_curve if point.rejected is None]
    assert sum(attention) == pytest.approx(1.0, abs=1e-5)
    assert message.n_points_used == 2
    assert message.n_points_rejected == {"upper_limit": 1, "forced": 1, "band": 1, "negative": 1}


def test_fluxes_are_those_of_the_light_curve_and_null_for_limits(sent):
    message, curve = parse(sent.value), decode(PACKET).curve
    for point, flux, err, kind in zip(
        message.light_curve, curve.psf_flux, curve.psf_flux_err, curve.kind, strict=True
    ):
        expected = None if kind == Kind.UPPER_LIMIT else pytest.approx(float(flux), abs=1e-3)
        assert point.psf_flux == expected
        assert point.psf_flux_err == pytest.approx(float(err), abs=1e-3)
