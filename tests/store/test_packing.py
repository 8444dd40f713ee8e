"""The stored form of records: exact, small, and refused when it is something else."""

import struct
from contextlib import closing

import lmdb
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
from broker_classifier.store import ANSWERED, EmbeddedStore, ObjectRecord, answered
from broker_classifier.store.packed_loops import HEAD_BYTES, OLD_HEAD_BYTES, WITH_KEYS
from broker_classifier.store.packing import pack, packed_states, seen_at, unpack, version_of
from broker_classifier.store.record import NO_BUNDLE_NAMED, NO_ORIGIN
from tests.stores import read_beside

ANY = st.floats(allow_nan=False)
MJDS = st.one_of(
    st.floats(50000.0, 70000.0),
    st.integers(50000 * 10**7, 70000 * 10**7).map(lambda ticks: ticks / 1e7),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0),
)
FLUXES = st.floats(width=32)
POINTS = st.tuples(MJDS, FLUXES, FLUXES, st.integers(0, 63))
ORIGINS = st.integers(0, 2**32 - 1)
STATES = st.dictionaries(st.integers(0, 2**32 - 1), st.binary(max_size=20), max_size=3)
ALERTS = st.tuples(st.integers(-(2**63), 2**63 - 1), MJDS, st.booleans(), ORIGINS)


@st.composite
def records(draw):
    points = draw(st.lists(POINTS, max_size=draw(st.sampled_from([0, 1, 5, 150]))))
    array = np.array(sorted(points, key=lambda item: item[0]), dtype=POINT)
    at_points = [(i, mjd, i % 2 == 0, i) for i, mjd in enumerate(array["mjd"].tolist())]
    alerts = draw(st.lists(ALERTS, max_size=5)) + at_points[:: draw(st.integers(1, 3))]
    encoder_states, history_mjd = draw(STATES), draw(ANY)
    version = draw(st.integers(0, 2**63 - 1))
    return ObjectRecord(
        LightCurve(array), np.array(alerts, dtype=ANSWERED), encoder_states, history_mjd, version
    )


def facts(record):
    return (*record._facts(), record.encoder_states)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(records(), ANY), max_size=4))
def test_records_come_back_to_the_bit(given_records):
    known = [item for item, _ in given_records]
    packed = pack(known, [at for _, at in given_records])
    assert [seen_at(item) for item in packed] == [at for _, at in given_records]
    assert [version_of(item[:HEAD_BYTES]) for item in packed] == [item.version for item in known]
    assert [facts(item) for item in unpack(packed)] == [facts(item) for item in known]


@settings(deadline=None, max_examples=200)
@given(records(), st.data())
def test_part_of_a_record_or_other_bytes_end_in_a_record_or_a_refusal(record, data):
    [packed] = pack([record], [0.0])
    part = packed[: data.draw(st.integers(0, len(packed)))]
    other = bytearray(packed)
    for _ in range(3):
        other[data.draw(st.integers(0, len(other) - 1))] = data.draw(st.integers(0, 255))
    without_memory = len(packed) - len(packed_states(record.encoder_states))
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
    alerts = answered([(1, 60000.0, False, 5), (2, 60003.0, True, 6)])
    [packed] = pack([ObjectRecord(LightCurve(points), alerts)], [0.0])
    assert len(packed) == HEAD_BYTES + 10 * (4 + 1 + 4) + 5 * 4 + 2 * (8 + 4 + 1)


def packed_in_format_4(mjd, alerts, encoder_state):
    """A record of detections in g with flux 100 and error 10, as version 0.6 wrote it."""
    times = b"".join(struct.pack("<I", round((at - mjd[0]) * 1e7)) for at in mjd)
    head = struct.pack("<dddIIB", 5.0, mjd[-1], mjd[0], len(mjd), len(alerts), 4)
    points = bytes([1] * len(mjd)) + struct.pack("<f", 10.0) * len(mjd)
    points += struct.pack("<f", 100.0) * len(mjd)
    ids = b"".join(struct.pack("<q", alert_id) for alert_id, _, _ in alerts)
    places = bytes(mjd.index(at) + 128 * is_final for _, at, is_final in alerts)
    return head + times + points + ids + places + encoder_state


def test_a_record_of_format_4_is_read_and_has_no_version_and_no_origins():
    mjd = [60000.0, 60100.0]
    packed = packed_in_format_4(mjd, [(11, 60000.0, False), (12, 60100.0, True)], b"state")
    (record,) = unpack([packed])
    alerts = answered([(11, 60000.0, False, NO_ORIGIN), (12, 60100.0, True, NO_ORIGIN)])
    curve = light_curve(mjd, 100.0, 10.0, "g")
    states = {NO_BUNDLE_NAMED: b"state"}
    assert facts(record) == facts(ObjectRecord(curve, alerts, states, 60100.0, 0))
    assert (seen_at(packed), version_of(packed[:HEAD_BYTES])) == (5.0, 0)
    assert facts(unpack(pack([record], [5.0]))[0]) == facts(record)


def test_a_record_of_format_5_keeps_its_one_state_for_any_bundle():
    curve = light_curve([60000.0], 100.0, 10.0, "g")
    [packed] = pack([ObjectRecord(curve, answered([]), version=7)], [5.0])
    old = bytearray(packed + b"state")
    old[OLD_HEAD_BYTES - 1] ^= WITH_KEYS
    (record,) = unpack([bytes(old)])
    assert record.version == 7
    assert record.encoder_state(7) == record.encoder_state(9) == b"state"
    assert facts(unpack(pack([record], [5.0]))[0]) == facts(record)


def test_a_store_of_format_4_goes_on_in_place(tmp_path):
    (tmp_path / "format").write_text("4")
    with lmdb.open(str(tmp_path)) as env, env.begin(write=True) as transaction:
        for name in (b"a", b"b"):
            transaction.put(name, packed_in_format_4([60000.0], [(11, 60000.0, False)], b""))
    assert read_beside(tmp_path, ["a"])[0].answered["alert_id"].tolist() == [11]
    with closing(EmbeddedStore(tmp_path)) as store:
        (old,) = store.read(["a"])
        new = old.followed_by(old.curve, [(12, 60001.0, False, 3)], {}, 0.0, now_s=1e9)
        assert store.put({"a": new}, {"a": 0}, seen_at=9.0) == set()
        assert store.put({"a": new}, {"a": 0}, seen_at=9.0) == {"a"}
    assert read_beside(tmp_path, ["a", "b"]) == [new, old]
    assert new.version == 10**12
