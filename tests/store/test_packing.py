"""The stored form of records: exact, small, and refused when it is something else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_classifier.light_curve import (
    POINT,
    Kind,
    LightCurve,
    light_curve,
    point_flags,
)
from broker_classifier.store import ANSWERED, ObjectRecord, answered
from broker_classifier.store.packed_loops import HEAD_BYTES
from broker_classifier.store.packing import pack, seen_at, unpack

ANY = st.floats(allow_nan=False)
MJDS = st.one_of(
    st.floats(50000.0, 70000.0),
    st.integers(50000 * 10**7, 70000 * 10**7).map(lambda ticks: ticks / 1e7),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0),
)
FLUXES = st.floats(width=32)
POINTS = st.tuples(MJDS, FLUXES, FLUXES, st.integers(0, 63))
ALERTS = st.tuples(st.integers(-(2**63), 2**63 - 1), MJDS, st.booleans())


@st.composite
def records(draw):
    points = draw(st.lists(POINTS, max_size=draw(st.sampled_from([0, 1, 5, 150]))))
    array = np.array(sorted(points, key=lambda one: one[0]), dtype=POINT)
    at_points = [(i, mjd, i % 2 == 0) for i, mjd in enumerate(array["mjd"].tolist())]
    alerts = draw(st.lists(ALERTS, max_size=5)) + at_points[:: draw(st.integers(1, 3))]
    encoder_state, history_mjd = draw(st.binary(max_size=20)), draw(ANY)
    return ObjectRecord(
        LightCurve(array), np.array(alerts, dtype=ANSWERED), encoder_state, history_mjd
    )


def facts(record):
    return (*record._facts(), record.encoder_state)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(records(), ANY), max_size=4))
def test_records_come_back_to_the_bit(given_records):
    known = [one for one, _ in given_records]
    packed = pack(known, [at for _, at in given_records])
    assert [seen_at(one) for one in packed] == [at for _, at in given_records]
    assert [facts(one) for one in unpack(packed)] == [facts(one) for one in known]


@settings(deadline=None, max_examples=200)
@given(records(), st.data())
def test_part_of_a_record_or_other_bytes_end_in_a_record_or_a_refusal(record, data):
    [packed] = pack([record], [0.0])
    part = packed[: data.draw(st.integers(0, len(packed)))]
    other = bytearray(packed)
    for _ in range(3):
        other[data.draw(st.integers(0, len(other) - 1))] = data.draw(st.integers(0, 255))
    without_memory = len(packed) - len(record.encoder_state)
    cut, changed, whole = unpack([part, bytes(other), packed])
    assert (cut is None) == (len(part) < without_memory)
    assert changed is None or isinstance(changed, ObjectRecord)
    assert facts(whole) == facts(record)


def test_nothing_and_bytes_of_something_else_are_no_record():
    assert unpack([b"", b"x", b"\xff" * HEAD_BYTES, b"\xff" * 1000]) == [None] * 4


@pytest.mark.parametrize(("days", "width"), [(429.0, 4), (430.0, 5), (1.6, 3)])
def test_times_of_surveys_take_the_bytes_that_their_span_needs(days, width):
    mjd = np.round(60000.1 + np.linspace(0.0, days, 100), 7)
    curve = light_curve(mjd, 100.0, 10.0, "g")
    [packed] = pack([ObjectRecord(curve, answered([]))], [0.0])
    assert len(packed) == HEAD_BYTES + 100 * (width + 1 + 4 + 4)


def test_an_upper_limit_takes_no_flux_and_an_answered_detection_no_time():
    points = np.zeros(10, dtype=POINT)
    points["mjd"] = 60000.0 + np.arange(10)
    points["psf_flux"][5:] = np.nan
    points["flags"] = point_flags(np.zeros(10), [Kind.DETECTION] * 5 + [Kind.UPPER_LIMIT] * 5)
    alerts = answered([(1, 60000.0, False), (2, 60003.0, True)])
    [packed] = pack([ObjectRecord(LightCurve(points), alerts)], [0.0])
    assert len(packed) == HEAD_BYTES + 10 * (4 + 1 + 4) + 5 * 4 + 2 * (8 + 1)
