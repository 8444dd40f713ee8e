"""A small data set in the format of labelled light curves: made-up events of three classes."""

from pathlib import Path

import numpy as np
import pandas as pd

CLASSES = ("SNIa", "SNII", "AGN")
ALERT_SOURCE = "somebody/alerts"
FORCED_SOURCE = "somebody/forced"


def write_data_set(folder: Path, n_objects: int = 120, seed: int = 0, prefix: str = "") -> Path:
    """Write `objects.csv` and `photometry.parquet`; AGN and a third of the SNIa are forced."""
    random = np.random.default_rng(seed)
    objects, points = [], []
    for i in range(n_objects):
        label = (*CLASSES, "other")[i % 4] if i % 8 == 7 else CLASSES[i % 3]
        is_forced = label == "AGN" or (label == "SNIa" and i % 9 == 0)
        name = f"{prefix}{label}{i:04d}"
        objects.append(
            {
                "object_id": f"{name}@somebody",
                "canonical_id": name,
                "label": label,
                "source_repo": FORCED_SOURCE if is_forced else ALERT_SOURCE,
                "preferred": True,
            }
        )
        points.append(_points(f"{name}@somebody", label, is_forced, random))
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(objects).to_csv(folder / "objects.csv", index=False)
    pd.concat(points).to_parquet(folder / "photometry.parquet")
    return folder


def _points(
    object_id: str, label: str, is_forced: bool, random: np.random.Generator
) -> pd.DataFrame:
    mjd = 59000.2 + np.sort(random.choice(np.arange(-20, 160), 90, replace=False))
    age = mjd - 59000.0
    peak = 10 ** random.uniform(4.5, 5.3)
    decline = {"SNIa": 12.0, "SNII": 70.0, "AGN": 1e6}[label] if label != "other" else 5.0
    rise = 1.0 if label == "AGN" else 1 / (1 + np.exp(-age / 2.0))
    true_flux = peak * rise * np.exp(-np.maximum(age, 0) / decline)
    band = np.where(np.arange(len(mjd)) % 2, "g", "r")
    quoted = (0.04 * true_flux + 2000.0) * random.uniform(0.8, 1.2, len(mjd))
    err = quoted / 3 if is_forced else quoted
    flux = true_flux + random.normal(0, quoted / 3)
    table = pd.DataFrame(
        {
            "object_id": object_id,
            "mjd": mjd,
            "band": band,
            "flux_njy": flux,
            "flux_err_njy": err,
            "is_upper_limit": False,
            "forced": is_forced,
        }
    )
    return table if is_forced else table[table["flux_njy"] > 4 * table["flux_err_njy"]]
