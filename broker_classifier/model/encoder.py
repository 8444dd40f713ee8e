"""The port of every encoder: used points of light curves in, logits and attention out."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch


class Encoded(NamedTuple):
    """What a network says of n light curves after their last points.

    Attributes
    ----------
    logits : float32 array, shape (n, n_classes)
    attention : float array, shape (n_used,), or None
        Weight of every point, light curve after light curve; each light curve's sum to 1. None
        where the network has no attention.
    encoder_states : list of bytes
        For the next call, when there are more points; b"" from an encoder that keeps nothing.
    """

    logits: NDArray[np.float32]
    attention: NDArray[np.float64] | None
    encoder_states: list[bytes]


class Encoder(Protocol):
    """A network with the preparation of its input.

    Attributes
    ----------
    hears_silence : bool
        Whether its answer depends on the time since the last point.
    """

    hears_silence: bool

    def encode(
        self,
        batch: CurveBatch,
        encoder_states: Sequence[bytes] | None = None,
        silence_days: NDArray[np.float64] | None = None,
    ) -> Encoded:
        """Encode n light curves, each of one point or more.

        Parameters
        ----------
        batch : CurveBatch
            Used points only.
        encoder_states : sequence of bytes, optional
            What an earlier call returned for each light curve, b"" for none. They only save work: a
            state that does not fit is not used.
        silence_days : float array, shape (n,), optional
            Time from the last point to the answer; 0 if not given. Who does not hear silence
            answers as at the last point.
        """
