"""A season of simulated alerts, in the order in which they would be sent.

Its truth stays outside the packets. The objects are parametric copies of real ones, of the sample
that trains the models: a demonstration, not a measure of their accuracy.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker_classifier.demo.simulate.curves import Shape, Variability, fluxes, load_shapes
from broker_classifier.demo.simulate.packets import alert_id, packet
from broker_classifier.demo.simulate.survey import Photometry, clear_nights, measure, observe_field

FIRST_MJD = 61041.0  # 2026-01-01
N_NIGHTS = 100
MIX = {
    "SNIa": 0.28,
    "SNII": 0.2,
    "SNIbc": 0.12,
    "AGN": 0.12,
    "TDE": 0.1,
    "SLSN-I": 0.1,
    "SNIa-91bg": 0.04,
    "SNIax": 0.04,
}
_LATEST_PEAK_NIGHT = 65.0
_FEWEST_ALERTS = 5
_SOUTHERN_LIMIT_DEG = -28.0


@dataclass(frozen=True)
class SimulatedObject:
    """One object and all that the survey measures of it.

    Attributes
    ----------
    number : int
        Its place in the simulation, from 0.
    label : str
        Its true class.
    position : (float, float)
        Right ascension and declination, degrees.
    photometry : Photometry
    """

    number: int
    label: str
    position: tuple[float, float]
    photometry: Photometry

    @property
    def object_id(self) -> str:
        """Name it as ZTF would, recognisably simulated.

        >>> SimulatedObject(27, "SNIa", (0.0, 0.0), None).object_id
        'ZTF26simaabb'
        """
        letters = (self.number // 26**power % 26 for power in (3, 2, 1, 0))
        return "ZTF26sim" + "".join(chr(ord("a") + letter) for letter in letters)


@dataclass(frozen=True)
class Packet:
    """One alert, with the truth about it beside its bytes.

    Attributes
    ----------
    alert_id : int
        ZTF `candid`.
    object_id : str
        ZTF `objectId`.
    mjd : float
        Start of the exposure that caused it, days.
    label : str
        The object's true class.
    message : bytes
        The packet: an Avro object container.
    """

    alert_id: int
    object_id: str
    mjd: float
    label: str
    message: bytes


def simulate_objects(n_objects: int, seed: int = 0) -> list[SimulatedObject]:
    """Draw objects of every class and observe them for 100 nights, under one weather."""
    rng = np.random.default_rng(seed)
    shapes = load_shapes()
    is_clear = clear_nights(N_NIGHTS, rng)
    objects = []
    for number, label in enumerate(rng.permutation(_labels(n_objects))):
        choice = [shape for shape in shapes if shape.label == label]
        photometry = _observed(choice, is_clear, rng)
        sin_dec = rng.uniform(math.sin(math.radians(_SOUTHERN_LIMIT_DEG)), 1.0)
        position = (rng.uniform(0.0, 360.0), math.degrees(math.asin(sin_dec)))
        objects.append(SimulatedObject(number, str(label), position, photometry))
    return objects


def simulate_night(n_objects: int, seed: int = 0) -> Iterator[Packet]:
    """Yield the alerts of `n_objects` objects in time order; the same for the same seed."""
    objects = simulate_objects(n_objects, seed)
    detections = [
        (mjd, simulated.number, int(i))
        for simulated in objects
        for i, mjd in enumerate(simulated.photometry.exposures.mjd)
        if simulated.photometry.is_detected[i]
    ]
    for mjd, number, i in sorted(detections):
        simulated = objects[number]
        yield Packet(
            alert_id=alert_id(simulated.photometry, i, number),
            object_id=simulated.object_id,
            mjd=float(mjd),
            label=simulated.label,
            message=packet(
                simulated.object_id, number, simulated.position, simulated.photometry, i
            ),
        )


def write_night(folder: Path, n_objects: int, seed: int = 0) -> list[Packet]:
    """Write every alert into `folder` as `<alert id>.avro`; creates the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    packets = list(simulate_night(n_objects, seed))
    for alert in packets:
        folder.joinpath(f"{alert.alert_id}.avro").write_bytes(alert.message)
    return packets


def _labels(n_objects: int) -> list[str]:
    """Share objects among the classes by `MIX`, each class in turn while there are enough."""
    more = [label for label, share in MIX.items() for _ in range(round(share * n_objects) - 1)]
    return [*MIX, *more, *["SNIa"] * n_objects][:n_objects]


def _observed(
    choice: list[Shape], is_clear: NDArray[np.bool_], rng: np.random.Generator
) -> Photometry:
    """Draw a shape, a peak time and a field until enough alerts go out, brighter than before."""
    while True:
        shape = choice[rng.integers(len(choice))]
        exposures = observe_field(FIRST_MJD, is_clear, rng)
        earliest = 0.0 if isinstance(shape.g, Variability) else 10.0
        reference_mjd = FIRST_MJD + rng.uniform(earliest, _LATEST_PEAK_NIGHT)
        flux = fluxes(shape, exposures.mjd - reference_mjd, exposures.band, rng)
        photometry = measure(flux, exposures, rng)
        if np.count_nonzero(photometry.is_detected & (photometry.flux > 0)) >= _FEWEST_ALERTS:
            return photometry
