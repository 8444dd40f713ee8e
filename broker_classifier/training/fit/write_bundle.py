"""Writing a bundle folder, with golden cases on light curves that the project makes itself."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save

from broker_classifier.light_curve import BANDS, Kind, LightCurve, band_indices, curve_from_arrays
from broker_classifier.light_curve.selection import Selection
from broker_classifier.model.bundle import (
    GOLDEN_FILE,
    WEIGHTS_FILE,
    Bundle,
    bundle_hash,
    load_bundle,
    probabilities_of,
)
from broker_classifier.model.bundle_files import Description, Golden, GoldenCase
from broker_classifier.model.find_bundle import DESCRIPTION_FILE
from broker_classifier.model.networks import Network

N_GOLDEN = 6


def save_bundle(
    folder: Path,
    network: Network,
    description: dict[str, Any],
    members: Mapping[str, Bundle] | None = None,
) -> Bundle:
    """Write a bundle and load it back with every check.

    Parameters
    ----------
    folder : Path
        Made if absent; bundle files in it are replaced.
    network : Network
    description : dict
        Fields of `Description` except `weights_sha256` and `members`.
    members : mapping of str to Bundle, optional
        Of a blend, by the names of their folders in `members`, where they are already.
    """
    weights = save({k: t.detach().contiguous() for k, t in network.state_dict().items()})
    sha256 = hashlib.sha256(weights).hexdigest()
    within = dict(members or {})
    hashes = {name: member.hash for name, member in within.items()}
    checked = Description(**description, weights_sha256=sha256, members=hashes)
    text = (checked.model_dump_json(indent=2, by_alias=True) + "\n").encode()
    loaded = tuple(within.values())
    bundle = Bundle(checked, network.eval(), bundle_hash(weights, text), loaded)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(weights)
    (folder / DESCRIPTION_FILE).write_bytes(text)
    golden = Golden(cases=[_golden_case(seed, bundle) for seed in range(N_GOLDEN)])
    (folder / GOLDEN_FILE).write_text(golden.model_dump_json(indent=1) + "\n")
    return load_bundle(folder)


def _golden_case(seed: int, bundle: Bundle) -> GoldenCase:
    curve = made_up_curve(seed, bundle.selection)
    probabilities = probabilities_of(curve, bundle)
    assert probabilities is not None, "a made-up light curve has usable points"
    return GoldenCase(
        name=f"made_up_{seed}",
        mjd=curve.mjd.tolist(),
        psf_flux=[round(float(f), 2) for f in curve.psf_flux],
        psf_flux_err=[round(float(e), 2) for e in curve.psf_flux_err],
        band=[BANDS[b] for b in curve.band],
        kind=[Kind(k).name for k in curve.kind],
        probabilities=probabilities.tolist(),
    )


def made_up_curve(seed: int, selection: Selection) -> LightCurve:
    """Make a rise and an exponential decline with noise, one point a band every few days.

    In the bands and of the kind that a bundle takes. The bands follow each other by an hour; fluxes
    and errors have two decimals (nJy).
    """
    random = np.random.default_rng(seed)
    n_nights = int(random.integers(1, 25))
    nights = 59000.2 + np.cumsum(random.integers(1, 5, n_nights))
    mjd = (nights[:, None] + np.arange(len(selection.bands)) / 24).ravel()
    band = np.tile(band_indices(selection.bands), n_nights)
    age = mjd - 59010.0
    peak = 10 ** random.uniform(4.3, 5.5)
    shape = np.exp(-np.maximum(age, 0) / random.uniform(15, 60)) / (1 + np.exp(-age / 3))
    flux_err = 0.05 * peak + 500.0
    flux = np.maximum(peak * shape + random.normal(0, flux_err / 3, len(mjd)), flux_err)
    kind = Kind[selection.kinds[0].upper()]
    return curve_from_arrays(mjd.round(5), flux.round(2), round(flux_err, 2), band, kind)


def commit_of_code() -> str:
    """Give the commit of the code that runs, "unknown" outside a git checkout."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "rev-parse", "HEAD"]
    here = Path(__file__).parent
    answer = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
