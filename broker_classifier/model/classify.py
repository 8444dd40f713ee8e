"""Light curves to classifications: a pure function, the same whatever the batch or its order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import LightCurve
from broker_classifier.light_curve.selection import select_all
from broker_classifier.light_curve.selection_rules import REASONS
from broker_classifier.model.blend_encoder import heard_age
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.calibration import calibrated_probabilities
from broker_classifier.model.prior import ClassPrior, equal_prior_probabilities, information_bits

BATCH = 512  # light curves at a time: their rows and states stay in the processor's cache


@dataclass(frozen=True)
class Classification:
    """What a bundle says about one light curve, and what it looked at.

    Attributes
    ----------
    class_prior : ClassPrior
        The bundle's classes and their natural prior.
    probabilities : float array, shape (n_classes,)
        Calibrated, under the natural prior; in the order of the bundle's classes; sums to 1.
    used : int array, shape (n_used,)
        Positions in the light curve of the points used, ascending.
    attention : float array, shape (n_used,), or None
        Weight of each used point in the network's context; sums to 1. None where the network has
        no attention.
    reason : uint8 array, shape (n,)
        Why each point of the light curve was not used, positions in `REASONS`; 0 where it was.
    encoder_state : bytes
        What spares the next classification of this object the steps made so far.
    """

    class_prior: ClassPrior
    probabilities: NDArray[np.float64]
    used: NDArray[np.int64]
    attention: NDArray[np.float64] | None
    reason: NDArray[np.uint8]
    encoder_state: bytes = b""

    @property
    def by_class(self) -> dict[str, float]:
        """The probabilities by class name."""
        return dict(zip(self.class_prior.classes, self.probabilities.tolist(), strict=True))

    @property
    def probabilities_equal_prior(self) -> NDArray[np.float64]:
        """The probabilities if all classes were equally frequent, shape (n_classes,); sum to 1."""
        return equal_prior_probabilities(self.probabilities, self.class_prior.prior)

    @property
    def information_bits(self) -> float:
        """What the light curve tells about the class, in bits.

        The Kullback-Leibler divergence of the probabilities from the prior: near 0 at the first
        detection, whatever the largest probability; log2(1 / prior) where the class is certain.
        """
        return float(information_bits(self.probabilities, self.class_prior.prior))

    @property
    def rejected(self) -> tuple[str, ...]:
        """Why each point of the light curve was not used; "" where it was."""
        return tuple([REASONS[code] for code in self.reason.tolist()])


def classify(
    curves: Sequence[LightCurve],
    bundle: Bundle,
    encoder_states: Sequence[bytes] | None = None,
    at_mjd: float | None = None,
) -> list[Classification | None]:
    """Classify light curves; None for one without a usable point.

    Set `torch.set_num_threads(1)` in a worker process: two threads beside another busy process
    are many times slower than one.

    Parameters
    ----------
    curves : sequence of LightCurve
    bundle : Bundle
    encoder_states : sequence of bytes, optional
        `Classification.encoder_state` of each light curve as it was earlier, b"" for none. They
        only save work: a state that does not fit is not used.
    at_mjd : float, optional
        When the answers are wanted. What came later is left out, and a bundle that has learnt what
        silence means hears how long ago the last point was. The moment of the last point of each
        light curve if not given.

    Returns
    -------
    list of Classification or None
        In the order of `curves`.

    Examples
    --------
    >>> from broker_classifier import classify, light_curve, load_bundle
    >>> bundle = load_bundle("ztf-transients")
    >>> mjd, flux_njy = [60000.0, 60003.0, 60006.0, 60009.0], [2e4, 5e4, 9e4, 1.2e5]
    >>> curve = light_curve(mjd, flux_njy, 3e3, band="grgr")
    >>> early, late = classify([curve.until(60000.0), curve], bundle)
    >>> max(late.by_class, key=late.by_class.get)
    'SNIa'
    >>> early.information_bits < late.information_bits
    True
    """
    states = encoder_states if encoder_states is not None else [b""] * len(curves)
    answers: list[Classification | None] = []
    for start in range(0, len(curves), BATCH):
        part = slice(start, start + BATCH)
        until = [c if at_mjd is None else c.until(at_mjd) for c in curves[part]]
        answers.extend(_classify_batch(until, bundle, states[part], at_mjd))
    return answers


def _classify_batch(
    curves: Sequence[LightCurve],
    bundle: Bundle,
    encoder_states: Sequence[bytes],
    at_mjd: float | None,
) -> list[Classification | None]:
    selections = select_all(curves, bundle.selection)
    used = selections.batch.take(selections.index)
    usable = used.lengths.nonzero()[0].tolist()
    answers: list[Classification | None] = [None] * len(curves)
    if not usable:
        return answers
    batch = used.without_empty()
    silence = None if at_mjd is None else at_mjd - batch.points["mjd"][batch.starts[1:] - 1]
    encoder, states = bundle.encoder, [encoder_states[i] for i in usable]
    encoded = encoder.encode(batch, states, silence)
    age, calibration = heard_age(encoder, batch, silence), bundle.description.calibration
    probabilities = calibrated_probabilities(encoded.logits, batch.lengths, age, calibration)
    for row, i in enumerate(usable):
        first, last = selections.batch.starts[i], selections.batch.starts[i + 1]
        of_curve = slice(batch.starts[row], batch.starts[row + 1])
        answers[i] = Classification(
            bundle.class_prior,
            probabilities[row],
            selections.index[of_curve] - first,
            None if encoded.attention is None else encoded.attention[of_curve],
            selections.reason[first:last],
            encoded.encoder_states[row],
        )
    return answers
