"""Messages of the classification topic, as short as they may be."""

from typing import Any

import orjson

from broker_classifier.lasair.annotation.answer import read_answer
from broker_classifier.lasair.annotation.history import History, advanced
from broker_classifier.streams.classification import ClassificationMessage

MJD = 61000.0


def point(days: float, flux: float = 1000.0, band: str = "r", **fields: Any) -> dict[str, Any]:
    """One point of a light curve, so many days after `MJD`."""
    measured = {"psf_flux": flux, "psf_flux_err": 50.0, "attention": 0.1, "rejected": None}
    return {"mjd": MJD + days, "band": band, "kind": "detection"} | measured | fields


def content(
    top_class: str = "SNIa",
    probability: float = 0.8,
    days: float = 0.0,
    object_id: str = "ZTF26aaaaaaa",
    survey: str = "ztf",
    bits: float | None = 1.2,
    **fields: Any,
) -> dict[str, Any]:
    """What a message holds: a class with its probability, and SNII (or SNIa) with the rest."""
    other = "SNIa" if top_class == "SNII" else "SNII"
    probabilities = {top_class: probability, other: round(1 - probability, 6)}
    alert_id = round(1e6 * (1000 + days))
    when = f"2026-11-{1 + int(days) % 28:02d}T00:00:00Z"
    return {
        "schema_version": 2,
        "id": f"{alert_id}:ztf-transients:0.5.0",
        "survey": survey,
        "object_id": object_id,
        "alert_id": alert_id,
        "alert_id_str": str(alert_id),
        "mjd": MJD + days,
        "ra": 10.0,
        "dec": 20.0,
        "revised": False,
        "class": top_class,
        "probability": probability,
        "probabilities": probabilities,
        "probabilities_equal_prior": probabilities,
        "information_bits": bits,
        "n_points_used": 3,
        "n_points_rejected": {},
        "light_curve": [point(0.0), point(days, band="g")],
        "model": {"name": "ztf-transients", "version": "0.5.0", "hash": "d807"},
        "times": {"observed": when, "received": when, "classified": when},
        "curve_version": 1,
        "context": {},
    } | fields


def value(*arguments: Any, **fields: Any) -> bytes:
    """The bytes of a message."""
    return orjson.dumps(content(*arguments, **fields))


def answer(*arguments: Any, **fields: Any) -> ClassificationMessage:
    """A message that was read."""
    return read_answer(value(*arguments, **fields))


def history_of(*answers: ClassificationMessage) -> History:
    """What is remembered after these answers of one object."""
    history: History | None = None
    for newer in answers:
        history = advanced(history, newer) or history
    assert history is not None
    return history
