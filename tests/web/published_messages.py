"""Messages as the topic carries them, made up: objects that brighten, fade and are reconsidered."""

import math
from collections.abc import Iterator
from typing import Any

import orjson

CLASSES = ("SNIa", "SNII", "SNIbc", "SLSN-I", "TDE", "AGN")
PEAK_NJY, RISE_DAYS, FALL_DAYS = 90_000.0, 12.0, 25.0
FIRST_MJD = 61_000.0


TIMES = {
    "observed": "2025-11-21T04:00:00.000Z",
    "received": "2025-11-21T04:00:01.000Z",
    "classified": "2025-11-21T04:00:01.050Z",
}


def flux_at(days: float) -> float:
    """A supernova's flux, so many days from its first detection, nJy."""
    since_peak = days - 1.5 * RISE_DAYS
    scale = RISE_DAYS if since_peak < 0 else FALL_DAYS
    return PEAK_NJY * math.exp(-0.5 * (since_peak / scale) ** 2)


def points(n: int, cadence_days: float = 1.5, start: float = FIRST_MJD) -> list[dict[str, Any]]:
    """n points, two upper limits before the first detection among them."""
    curve: list[dict[str, Any]] = []
    for i in range(n):
        days, band = (i - 2) * cadence_days, "gr"[i % 2]
        is_limit = i < 2
        reason = "upper_limit" if is_limit else "same_night" if i % 11 == 10 else None
        curve.append(
            {
                "mjd": start + days,
                "band": band,
                "kind": "upper_limit" if is_limit else "detection",
                "psf_flux": None if is_limit else round(flux_at(days) * (1 + 0.1 * (i % 2)), 3),
                "psf_flux_err": 2_500.0,
                "attention": None,
                "rejected": reason,
            }
        )
    used = [point for point in curve if point["rejected"] is None]
    weights = [1.0 + (point["psf_flux"] or 0) / PEAK_NJY for point in used]
    for point, weight in zip(used, weights, strict=True):
        point["attention"] = round(weight / sum(weights), 6)
    return curve


def probabilities_after(n_used: int, top: int) -> dict[str, float]:
    """The more points, the surer of class `top`."""
    sure = 1.0 - 0.75 * math.exp(-n_used / 8.0)
    rest = round((1.0 - sure) / (len(CLASSES) - 1), 6)
    return dict.fromkeys(CLASSES, rest) | {CLASSES[top]: round(1.0 - rest * (len(CLASSES) - 1), 6)}


def message(
    object_id: str = "ZTF26aaaaaaa",
    n_points: int = 5,
    top: int = 0,
    start: float = FIRST_MJD,
    **changed: Any,
) -> dict[str, Any]:
    """An object's message at its n-th point; the longer its curve, the surer of class `top`."""
    curve = points(n_points, start=start)
    n_used = sum(point["rejected"] is None for point in curve)
    probabilities = probabilities_after(n_used, top)
    alert_id = 10**18 + sum(object_id.encode()) * 10_000 + n_points
    content = {
        "schema_version": 2,
        "id": f"{object_id}-{alert_id}:ztf-transients:0.5.0",
        "survey": "ztf",
        "object_id": object_id,
        "alert_id": alert_id,
        "alert_id_str": str(alert_id),
        "mjd": curve[-1]["mjd"],
        "ra": 150.0 + (sum(object_id.encode()) % 97) / 10,
        "dec": 2.2,
        "revised": False,
        "curve_version": 1_000 + n_points,
        "class": CLASSES[top],
        "probability": probabilities[CLASSES[top]],
        "probabilities": probabilities,
        "probabilities_equal_prior": probabilities,
        "information_bits": round(2.5 * probabilities[CLASSES[top]] - 0.5, 4),
        "n_points_used": n_used,
        "n_points_rejected": {"upper_limit": 2},
        "light_curve": curve,
        "context": {"real_bogus": 0.93, "distance_psnr1": 1.2, "sgscore1": 0.04},
        "model": {"name": "ztf-transients", "version": "0.5.0", "hash": "d807"},
        "times": TIMES,
    }
    return content | changed


def history(object_id: str, n_points: int = 25, **changed: Any) -> Iterator[dict[str, Any]]:
    """Every message of an object, from its first detection; first SNII, later SNIa."""
    for n in range(3, n_points + 1):
        yield message(object_id, n, top=1 if n < 8 else 0, **changed)


def encoded(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content)
