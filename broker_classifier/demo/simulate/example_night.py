"""A small night to try every command on, with some of everything that a stream brings."""

from pathlib import Path

import numpy as np

from broker_classifier.demo.simulate.night import FIRST_MJD, write_night
from broker_classifier.demo.simulate.packets import packet
from broker_classifier.demo.simulate.survey import Exposures, Photometry

N_OBJECTS, SEED = 12, 2
ASTEROID, OTHER_BAND = 900, 901  # numbers of objects, far from those of the night


def write_example_night(folder: Path) -> int:
    """Write made-up ZTF packets into a folder, always the same; return how many files.

    There are the alerts of a dozen transients and active nuclei over 100 nights, one alert of an
    asteroid, one of a point that no bundle can use, and one file that is broken.
    """
    packets = write_night(folder, N_OBJECTS, SEED)
    asteroid = packet("ZTF26simasteroid", ASTEROID, (120.0, 20.0), _detection(2e5), 0, "433")
    negative = packet("ZTF26simnegative", OTHER_BAND, (121.0, 21.0), _detection(-2e5), 0)
    others = {"asteroid": asteroid, "negative": negative, "broken": packets[0].message[:2000]}
    for name, message in others.items():
        (folder / f"{name}.avro").write_bytes(message)
    return len(packets) + len(others)


def _detection(flux_njy: float) -> Photometry:
    """Measure one point."""
    exposures = Exposures(
        mjd=np.array([FIRST_MJD + 50.2]), band=np.array(["r"]), limit_mag=np.array([20.5])
    )
    return Photometry(exposures, np.array([flux_njy]), np.array([2e3]), np.array([True]))
