"""Alerts and answers as the demo's books hold them, without Kafka."""

from datetime import UTC, datetime

from broker_classifier.demo.alerts import DemoAlert
from broker_classifier.streams.classification import (
    ClassificationMessage,
    ModelMessage,
    PointMessage,
    TimesMessage,
)

RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)


def sent(alert_id: int | None, object_id: str = "ZTF1", label: str | None = "SNIa") -> DemoAlert:
    return DemoAlert(alert_id, object_id, 61000.0 + (alert_id or 0), label, b"packet")


def point(mjd: float, flux: float | None, attention: float | None = None) -> PointMessage:
    return PointMessage(
        mjd=mjd,
        band="g",
        kind="detection" if flux is not None else "upper_limit",
        psf_flux=flux,
        psf_flux_err=1e3,
        attention=attention,
        rejected=None if attention is not None else "negative",
    )


def answer(
    alert_id: int, object_id: str = "ZTF1", probabilities: dict[str, float] | None = None
) -> ClassificationMessage:
    probabilities = probabilities or {"SNIa": 0.8, "SNII": 0.2}
    top = max(probabilities, key=probabilities.__getitem__)
    mjd = 61000.0 + alert_id
    curve = [point(60990.0, None), point(60999.0, 5e4, 0.25), point(mjd, 1e5, 0.75)]
    return ClassificationMessage(
        id=f"{alert_id}:m:1",
        survey="ztf",
        object_id=object_id,
        alert_id=alert_id,
        alert_id_str=str(alert_id),
        mjd=mjd,
        ra=1.0,
        dec=2.0,
        curve_version=1,
        revised=False,
        top_class=top,
        probability=probabilities[top],
        probabilities=probabilities,
        probabilities_equal_prior=probabilities,
        information_bits=0.5,
        n_points_used=2,
        n_points_rejected={"upper_limit": 1},
        light_curve=curve,
        model=ModelMessage(name="m", version="1", hash="0"),
        times=TimesMessage(observed=RECEIVED, received=RECEIVED, classified=RECEIVED),
    )
