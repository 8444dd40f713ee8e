"""Used points of light curves to what the members of a blend say together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.calibration import Calibration, calibrated_probabilities
from broker_classifier.model.encoder import Encoded, Encoder
from broker_classifier.model.networks.blend import Blend

_LENGTH_BYTES = 4
_LEAST = 1e-12  # of a probability, so that its logarithm is finite
Floats = NDArray[np.float64]


class Member(NamedTuple):
    """What a blend needs of a member."""

    encoder: Encoder
    calibration: Calibration


class BlendEncoder:
    """The encoders of the members, one after another.

    The attention is that of the first member that has some. What is kept between detections is
    what every member keeps, each behind its length.

    Parameters
    ----------
    network : Blend
    members : sequence of Member
    """

    def __init__(self, network: Blend, members: Sequence[Member]) -> None:
        self._network, self._members = network, list(members)
        self.hears_silence = any(m.encoder.hears_silence for m in members)

    def encode(
        self,
        batch: CurveBatch,
        encoder_states: Sequence[bytes] | None = None,
        silence_days: Floats | None = None,
    ) -> Encoded:
        """Encode n light curves; parameters and result are those of `StreamingEncoder.encode`."""
        n_members = len(self._members)
        given = encoder_states if encoder_states is not None else [b""] * len(batch)
        of_members = zip(*(divided(state, n_members) for state in given), strict=True)
        scores, kept, attention = [], [], None
        for (encoder, calibration), states in zip(self._members, of_members, strict=True):
            encoded = encoder.encode(batch, states, silence_days)
            age = heard_age(encoder, batch, silence_days)
            scores.append(log_scores(encoded.logits, batch.lengths, age, calibration))
            kept.append(encoded.encoder_states)
            attention = encoded.attention if attention is None else attention
        logits = self._network.joined(np.array(scores), batch.lengths)
        joined_states = [packed(of_curve) for of_curve in zip(*kept, strict=True)]
        return Encoded(logits.astype(np.float32), attention, joined_states)


def heard_age(encoder: Encoder, batch: CurveBatch, silence_days: Floats | None) -> Floats:
    """Give the days from the first point to the answer, or to the last point if it is all heard."""
    if silence_days is None or not encoder.hears_silence:
        return batch.age_days
    return batch.age_days + silence_days


def log_scores(
    logits: NDArray[Any], n_points: NDArray[np.int64], age_days: Floats, of: Calibration
) -> Floats:
    """Give ln(probability / prior) after a member's own calibration, shape (n, n_classes)."""
    probabilities = calibrated_probabilities(logits, n_points, age_days, of)
    return np.asarray(np.log(np.maximum(probabilities, _LEAST)) - np.log(of.prior))


def packed(states: Sequence[bytes]) -> bytes:
    """Put the states of all members of one light curve one after another.

    >>> divided(packed([b"abc", b""]), 2)
    [b'abc', b'']
    """
    return b"".join(len(s).to_bytes(_LENGTH_BYTES, "little") + s for s in states)


def divided(state: bytes, n_members: int) -> list[bytes]:
    """Take the states of the members apart; all are empty where this is no such state.

    >>> divided(b"", 2), divided(b"?????", 2)
    ([b'', b''], [b'', b''])
    """
    states, at = [], 0
    for _ in range(n_members):
        first = at + _LENGTH_BYTES
        at = first + int.from_bytes(state[at:first], "little")
        states.append(state[first:at])
    return states if at == len(state) else [b""] * n_members
