"""The light curves that the poster's networks are compared on, from any of the data sets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS, LightCurve, curve_from_arrays
from broker_classifier.model.bundle import read_bundle
from broker_classifier.model.find_bundle import find_bundle
from broker_classifier.training.data.labelled_objects import (
    LabelledObject,
    preferred_objects,
    read_objects,
)
from broker_classifier.training.data.plasticc import CLASS_OF_TARGET, is_plasticc, read_plasticc
from broker_classifier.training.homogenise.examples import make_examples
from broker_classifier.training.homogenise.homogenisation import read_homogenisation

CLASSES = tuple(CLASS_OF_TARGET.values())


@dataclass(frozen=True, eq=False)
class Sample:
    """n objects, one light curve each.

    Attributes
    ----------
    classes : tuple of str
        The classes that occur, in the poster's order.
    bands : tuple of str
        Letters of the bands that occur.
    ids : str array, shape (n,)
    target : int array, shape (n,)
        Positions in `classes`.
    curves : list of LightCurve
        Each of one point or more.
    """

    classes: tuple[str, ...]
    bands: tuple[str, ...]
    ids: NDArray[np.str_]
    target: NDArray[np.int64]
    curves: list[LightCurve]

    def counts(self) -> dict[str, int]:
        """Count the objects of each class."""
        counts = np.bincount(self.target, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, counts, strict=True))


def read_sample(folder: str | Path, at_most: int, alerts_of: Path | None = None) -> Sample:
    """Read PLAsTiCC's files, or a folder with `objects.csv` and `photometry.parquet`.

    Parameters
    ----------
    folder : path
    at_most : int
        How many objects of each class are kept of PLAsTiCC's millions.
    alerts_of : path, optional
        A bundle's folder: keep what its survey's alerts would have shown of each event, prepared
        as the bundle's training data were. Without it every point counts, as on the poster.

    Raises
    ------
    DataError
        The folder cannot be used, or has fewer than two of the poster's classes.
    """
    if is_plasticc(folder):
        objects = read_plasticc(folder, at_most)
    else:
        objects = preferred_objects(read_objects(folder, CLASSES))
    curves = _alerts(objects, alerts_of) if alerts_of else _every_point(objects)
    curves = [labelled for labelled in curves if len(labelled.curve)]
    labels = Counter(labelled.label for labelled in curves)
    if len(labels) < 2:
        msg = f"{folder} has light curves of {', '.join(labels) or 'no class'}: two are needed"
        raise DataError(msg)
    return _sample(curves)


class _LabelledCurve(NamedTuple):
    object_id: str
    label: str
    curve: LightCurve


def _every_point(objects: Sequence[LabelledObject]) -> list[_LabelledCurve]:
    return [
        _LabelledCurve(
            o.canonical_id, o.label, curve_from_arrays(o.mjd, o.flux, o.flux_err, o.band)
        )
        for o in objects
    ]


def _alerts(objects: Sequence[LabelledObject], bundle: Path) -> list[_LabelledCurve]:
    folder = find_bundle(bundle)
    selection, rules = read_bundle(folder).selection, read_homogenisation(folder)
    examples = make_examples(objects, rules, selection, CLASSES)
    return [_LabelledCurve(e.canonical_id, CLASSES[e.target], e.curves[0]) for e in examples]


def _sample(curves: Sequence[_LabelledCurve]) -> Sample:
    occurring = {labelled.label for labelled in curves}
    classes = tuple(name for name in CLASSES if name in occurring)
    n_points = np.sum([np.bincount(c.curve.band, minlength=len(BANDS)) for c in curves], axis=0)
    return Sample(
        classes=classes,
        bands=tuple(band for band, n in zip(BANDS, n_points, strict=True) if n),
        ids=np.array([labelled.object_id for labelled in curves]),
        target=np.array([classes.index(labelled.label) for labelled in curves]),
        curves=[labelled.curve for labelled in curves],
    )
