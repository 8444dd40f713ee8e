"""Why a bundle says what it says of one light curve: its input, its attention, its answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS, LightCurve
from broker_classifier.light_curve.rejections import why_unusable
from broker_classifier.model.bundle import Bundle
from broker_classifier.model.classify import Classification, classify
from broker_classifier.training.judge.prefix_logits import network_input

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explanation:
    """An answer with everything that led to it.

    Attributes
    ----------
    name : str
        Of the object.
    bundle : Bundle
    curve : LightCurve
        Every point, used or not.
    answer : Classification
        After the last point, at the moment asked for.
    mjd : float array, shape (n,)
        Times of the points after which there was an answer, each once, and of the moment asked for.
    probabilities : float array, shape (n, n_classes)
        Those answers: calibrated, under the natural prior.
    input_mjd : float array, shape (n_rows,)
        Time of each row of the input: of a point, or of a cell of the grid.
    inputs : dict of str to float array, shape (n_rows,)
        What the network gets, by the name of the channel.
    """

    name: str
    bundle: Bundle
    curve: LightCurve
    answer: Classification
    mjd: Floats
    probabilities: Floats
    input_mjd: Floats
    inputs: dict[str, NDArray[np.float32]]

    @property
    def used(self) -> LightCurve:
        """The points that the answer rests on."""
        return LightCurve(self.curve.points[self.answer.used])

    @property
    def top_class(self) -> str:
        """The most probable class after the last point."""
        return self.bundle.classes[int(self.answer.probabilities.argmax())]

    def sentence(self) -> str:
        """Say the answer in a sentence: the class, its probability, from how many points of when.

        Days count from the first point used. Where the answer was asked for later than the last
        one, that is said, too.
        """
        n, letters = len(self.used), ", ".join(dict.fromkeys(BANDS[b] for b in self.used.band))
        points = f"{n} point" if n == 1 else f"{n} points"
        days = float(self.used.mjd[-1] - self.used.mjd[0])
        ranked = np.argsort(-self.answer.probabilities)
        first, second = (
            f"{self.bundle.classes[k]} {self.answer.probabilities[k]:.2f}" for k in ranked[:2]
        )
        return (
            f"{self.name}: {first}, then {second}, from {points} in {letters} over {days:.1f} days"
            f"{self._asked_later()}"
        )

    def _asked_later(self) -> str:
        later_days = float(self.mjd[-1] - self.used.mjd[-1])
        if later_days <= 0:
            return ""
        unheard = "" if self.bundle.encoder.hears_silence else ", which the bundle does not hear"
        return f", asked {later_days:.1f} days later{unheard}"


def explanation_of(
    name: str, curve: LightCurve, bundle: Bundle, at_mjd: float | None = None
) -> Explanation:
    """Classify a light curve as it was known after each of the points used.

    Parameters
    ----------
    at_mjd : float, optional
        When the last answer is asked for, as in `classify`.

    Raises
    ------
    DataError
        The bundle can use none of its points.
    """
    curve = curve if at_mjd is None else curve.until(at_mjd)
    (answer,) = classify([curve], bundle, at_mjd=at_mjd)
    if answer is None:
        msg = f"{bundle.name} cannot answer for {name}: {why_unusable(curve, bundle.selection)}"
        raise DataError(msg)
    used = LightCurve(curve.points[answer.used])
    moments = np.unique(used.mjd)
    answers = classify([curve.until(moment) for moment in moments.tolist()], bundle)
    is_answered = np.array([a is not None for a in answers])
    mjd = moments[is_answered]
    probabilities = np.array([a.probabilities for a in answers if a is not None])
    if at_mjd is not None and at_mjd > mjd[-1]:
        mjd = np.append(mjd, at_mjd)
        probabilities = np.concatenate([probabilities, answer.probabilities[None]])
    input_mjd, inputs = _inputs(used, bundle)
    return Explanation(name, bundle, curve, answer, mjd, probabilities, input_mjd, inputs)


def _inputs(used: LightCurve, bundle: Bundle) -> tuple[Floats, dict[str, NDArray[np.float32]]]:
    letters, normalisation = bundle.selection.bands, bundle.description.input
    rows = network_input([used], bundle.selection, normalisation)[0].numpy()  # (n_rows, C)
    names = normalisation.channel_names(letters)
    return normalisation.row_mjd(used.mjd), dict(zip(names, rows.T, strict=True))
