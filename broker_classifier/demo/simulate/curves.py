"""Noise-free light curves of simulated objects, from the parameters in `objects.csv`.

The transients are flares, the AGN damped random walks; both in nJy, times in days.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import resources

import numpy as np
from numpy.typing import NDArray

OBJECTS_FILE = "objects.csv"


@dataclass(frozen=True)
class Flare:
    """One band of a transient, as Villar et al. 2019 (ApJ 884, 83, eq. 1) describe it.

    Attributes
    ----------
    amplitude : float
        Plateau flux at `start`, nJy; may be 0 for a band that showed nothing.
    sag : float
        Fraction of the amplitude lost by the end of the plateau.
    plateau : float
        Length of the plateau, days.
    start : float
        Time of half rise, days after the object's reference time.
    rise, fall : float
        Exponential times, days.
    """

    amplitude: float
    sag: float
    plateau: float
    start: float
    rise: float
    fall: float

    def flux(self, days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate at `days` after the reference time, nJy."""
        since = days - self.start
        on_plateau = 1.0 - self.sag * np.clip(since / self.plateau, 0.0, 1.0)
        decline = np.exp(-np.maximum(since - self.plateau, 0.0) / self.fall)
        rise = 1.0 + np.exp(np.clip(-since / self.rise, -50.0, 50.0))
        return np.asarray(self.amplitude * on_plateau * decline / rise)


@dataclass(frozen=True)
class Variability:
    """One band of an AGN's damped random walk (Kelly et al. 2009, ApJ 698, 895).

    Attributes
    ----------
    mean, deviation : float
        Mean and standard deviation of the difference flux, nJy; the mean is not zero where the
        reference image caught the AGN in another state.
    timescale : float
        Damping time, days.
    """

    mean: float
    deviation: float
    timescale: float


@dataclass(frozen=True)
class Shape:
    """What one real object's fit says: its class and its two bands.

    Attributes
    ----------
    label : str
        Class name, as the bundles spell it.
    g, r : Flare or Variability
        Both of one sort.
    """

    label: str
    g: Flare | Variability
    r: Flare | Variability


def load_shapes() -> list[Shape]:
    """Read the table of fits that `simulate.fit` made."""
    table = resources.files("broker_classifier.demo.simulate").joinpath(OBJECTS_FILE)
    text = table.read_text("utf-8")
    return [_shape(row) for row in csv.reader(text.splitlines()[1:])]


def fluxes(
    shape: Shape, days: NDArray[np.float64], band: NDArray[np.str_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Evaluate an object at ascending `days`, each in its band ("g" or "r"); nJy."""
    g, r = shape.g, shape.r
    if isinstance(g, Flare) and isinstance(r, Flare):
        return np.where(band == "g", g.flux(days), r.flux(days))
    assert isinstance(g, Variability)
    assert isinstance(r, Variability)
    walk = damped_random_walk(days, g.timescale, rng)
    return np.where(band == "g", g.mean + g.deviation * walk, r.mean + r.deviation * walk)


def damped_random_walk(
    days: NDArray[np.float64], timescale: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a walk of mean 0 and variance 1 at ascending times.

    Its values correlate as exp(-gap / timescale).
    """
    kept = np.exp(-np.diff(days, prepend=-np.inf) / timescale)
    steps = rng.normal(size=len(days)) * np.sqrt(1.0 - kept**2)
    walk = np.empty(len(days))
    value = 0.0
    for i, (fraction, step) in enumerate(zip(kept, steps, strict=True)):
        value = walk[i] = fraction * value + step
    return walk


def _shape(row: Sequence[str]) -> Shape:
    label, sort, *numbers = row
    kind = Flare if sort == "flare" else Variability
    n = len(fields(kind))
    parameters = [float(number) for number in numbers]
    return Shape(label, kind(*parameters[:n]), kind(*parameters[n : 2 * n]))
