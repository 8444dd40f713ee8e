"""Files as PLAsTiCC published them, made up: Kaggle's training set and Zenodo's unblinded test."""

import gzip
from pathlib import Path

import numpy as np

TARGETS = (90, 67, 52, 42, 62, 95, 15, 64, 88)
OTHER_TARGETS = (92, 65, 16, 53, 6, 991, 992, 993, 994)  # RR Lyrae ... and the surprises
POINTS_HEADER = "object_id,mjd,passband,flux,flux_err,"
METADATA_HEADER = "object_id,ra,decl,ddf_bool,hostgal_specz,hostgal_photoz,mwebv,"


def write_plasticc(folder: Path, n_per_class: int = 12, n_points: int = 40, seed: int = 0) -> Path:
    """Write a training set and a test set in two batches, of `n_per_class` objects each."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    targets = np.repeat((*TARGETS, *OTHER_TARGETS), n_per_class)
    training = 615 + 7 * random.permutation(len(targets))
    test = 100_000 + 13 * random.permutation(len(targets))
    write_table(
        folder / "training_set_metadata.csv",
        METADATA_HEADER + "target",
        [f"{name},1.5,-2.5,0,0.1,0.1,0.02,{t}" for name, t in zip(training, targets, strict=True)],
    )
    write_table(
        folder / "plasticc_test_metadata.csv.gz",
        METADATA_HEADER + "target,true_target",
        [f"{name},1.5,-2.5,0,,0.1,0.02,99,{t}" for name, t in zip(test, targets, strict=True)],
    )
    rows = [r for name, t in zip(training, targets, strict=True) for r in points(name, t, n_points)]
    write_table(folder / "training_set.csv", POINTS_HEADER + "detected", rows)
    rows = [r for name, t in zip(test, targets, strict=True) for r in points(name, t, n_points)]
    cut = len(rows) // 2 + 5  # in the middle of an object, as Kaggle's batches were not
    for number, part in ((1, rows[:cut]), (2, rows[cut:])):
        name = f"plasticc_test_lightcurves_{number:02d}.csv.gz"
        write_table(folder / name, POINTS_HEADER + "detected_bool", part)
    return folder


def points(object_id: int, target: int, n_points: int) -> list[str]:
    """Make a flare whose width tells the class, all six bands in turn."""
    random = np.random.default_rng(object_id)
    mjd = np.sort(random.uniform(59580.0, 60675.0, n_points)).round(4)
    width = 20.0 * (1 + (*TARGETS, *OTHER_TARGETS).index(target))
    flux = 300.0 * np.exp(-(((mjd - 60100.0) / width) ** 2)) + random.normal(0, 5, n_points)
    return [
        f"{object_id},{t},{k % 6},{f:.6f},5.5,{int(f > 30)}"
        for k, (t, f) in enumerate(zip(mjd, flux, strict=True))
    ]


def write_table(path: Path, header: str, rows: list[str]) -> None:
    content = "\n".join([header, *rows]) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content)
