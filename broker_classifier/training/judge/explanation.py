"""Why a bundle says what it says of one light curve: its input, its attention, its answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import LightCurve
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
        After the last point.
    mjd : float array, shape (n,)
        Times of the points after which there was an answer, each once.
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


def explanation_of(name: str, curve: LightCurve, bundle: Bundle) -> Explanation:
    """Classify a light curve as it was known after each of the points used.

    Raises
    ------
    DataError
        The bundle can use none of its points.
    """
    (answer,) = classify([curve], bundle)
    if answer is None:
        msg = f"{bundle.name} cannot answer for {name}: {why_unusable(curve, bundle.selection)}"
        raise DataError(msg)
    used = LightCurve(curve.points[answer.used])
    moments = np.unique(used.mjd)
    answers = classify([curve.until(moment) for moment in moments.tolist()], bundle)
    is_answered = np.array([a is not None for a in answers])
    mjd = moments[is_answered]
    probabilities = np.array([a.probabilities for a in answers if a is not None])
    input_mjd, inputs = _inputs(used, bundle)
    return Explanation(name, bundle, curve, answer, mjd, probabilities, input_mjd, inputs)


def _inputs(used: LightCurve, bundle: Bundle) -> tuple[Floats, dict[str, NDArray[np.float32]]]:
    letters, normalisation = bundle.selection.bands, bundle.description.input
    rows = network_input([used], bundle.selection, normalisation)[0].numpy()  # (n_rows, C)
    names = normalisation.channel_names(letters)
    return normalisation.row_mjd(used.mjd), dict(zip(names, rows.T, strict=True))
