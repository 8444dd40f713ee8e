"""An alert noise that can be computed by hand."""

from broker_classifier.training.homogenise.alert_noise import RANKS, AlertNoise, Depth


def plain_noise(threshold_snr: float = 5.0, threshold_width: float = 0.1) -> AlertNoise:
    """Errors of 1000 nJy (rank 0) to 10,000 nJy (rank 1) in log, at every flux, g and r."""
    ladder = tuple(3.0 + rank for rank in RANKS)
    return AlertNoise(
        bands=("g", "r"),
        log_flux=(3.0, 5.0, 7.0),
        log_err=((ladder,) * 3,) * 2,
        depth=Depth(
            log_depth=(ladder,) * 2,
            log_excess=((0.0,) * 3,) * 2,
            threshold_snr=(threshold_snr,) * 2,
            threshold_width=(threshold_width,) * 2,
            completeness=(1.0,) * 2,
        ),
    )


def sharp_noise(detection_snr: float = 5.0) -> AlertNoise:
    """The same errors with a sharp threshold, which loses nothing."""
    return plain_noise().model_copy(update={"depth": None, "detection_snr": detection_snr})
