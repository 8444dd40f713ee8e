"""What is kept of a light curve is exact to 24 bits, and good for its own points only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.encoder_state import Scale, Unpacked, pack, unpack
from tests.curves import detections, light_curves

VECTORS = np.array([1.0, 1.0, 1.0, 1.0, 30.0, 30.0], dtype=np.float32)
SCALE = Scale(VECTORS, np.array([10.0], dtype=np.float32))
KEY = b"a network"
BITS = 2.0**-23


def filled(curves, seed=0):
    """Random states of light curves, as an encoder leaves them after all their points."""
    batch, random = CurveBatch.of(curves), np.random.default_rng(seed)
    unpacked = unpack([b""] * len(batch), batch, KEY, SCALE)
    unpacked.state[:, :-1] = random.uniform(-VECTORS, VECTORS, (len(batch), len(VECTORS)))
    unpacked.state[:, -1] = random.uniform(0.0, 1e6, len(batch))
    unpacked.energies[:] = random.uniform(-10.0, 10.0, len(batch.points))
    return batch, unpacked


def reread(unpacked: Unpacked, batch: CurveBatch) -> Unpacked:
    return unpack(pack(unpacked, batch, SCALE), batch, KEY, SCALE)


curves_of_points = st.lists(light_curves(usable_only=True, max_points=9), min_size=1, max_size=4)


@given(curves_of_points)
def test_what_is_kept_is_read_to_24_bits(curves):
    batch, unpacked = filled(curves)
    again = reread(unpacked, batch)
    assert again.n_done.tolist() == batch.lengths.tolist()
    assert (np.abs(again.state - unpacked.state)[:, :-1] <= BITS * VECTORS).all()
    assert again.state[:, -1].tolist() == unpacked.state[:, -1].tolist()
    assert (np.abs(again.energies - unpacked.energies) <= BITS * 10.0).all()


@given(curves_of_points)
def test_rounding_does_not_add_up_from_one_detection_to_the_next(curves):
    batch, unpacked = filled(curves)
    once = reread(unpacked, batch)
    assert pack(reread(once, batch), batch, SCALE) == pack(once, batch, SCALE)


@given(curves_of_points)
def test_a_state_fits_the_light_curve_with_later_points(curves):
    batch, unpacked = filled(curves)
    states = pack(unpacked, batch, SCALE)
    longer = [c.merge(detections([c.mjd[-1] + 1.0, c.mjd[-1] + 2.0])) for c in curves]
    again = unpack(states, CurveBatch.of(longer), KEY, SCALE)
    assert again.n_done.tolist() == batch.lengths.tolist()
    assert [e[-2:].tolist() for e in CurveBatch.of(longer).split(again.energies)] == [
        [0.0, 0.0]
    ] * len(curves)


CURVE = detections([1.0, 2.0, 5.0])


@pytest.mark.parametrize(
    ("curve", "key", "change"),
    [
        (detections([1.0, 2.0, 6.0]), KEY, lambda state: state),
        (detections([2.0, 5.0]), KEY, lambda state: state),
        (CURVE, b"another network", lambda state: state),
        (CURVE, KEY, lambda state: state[:-1]),
        (CURVE, KEY, lambda state: state[:-3]),
        (CURVE, KEY, lambda state: state + b"xyz"),
        (CURVE, KEY, lambda state: state[:5]),
        (CURVE, KEY, lambda state: bytes([state[0] ^ 1]) + state[1:]),
        (CURVE, KEY, lambda state: b""),
    ],
)
def test_a_state_of_anything_else_is_not_used(curve, key, change):
    batch, unpacked = filled([CURVE])
    [state] = pack(unpacked, batch, SCALE)
    again = unpack([change(state)], CurveBatch.of([curve]), key, SCALE)
    assert again.n_done.tolist() == [0]
    assert not again.state.any()
    assert not again.energies.any()
