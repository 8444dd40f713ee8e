"""All settings, typed, with their defaults; the tree is in `settings`, its sections beside it."""

from broker_classifier.config.bundles import BundleEntry
from broker_classifier.config.settings import (
    DEFAULTS,
    DELIMITER,
    FRAMED_STREAM,
    PREFIX,
    USUAL_STREAM,
    LogSettings,
    MetricsSettings,
    Settings,
    Stream,
    SurveySettings,
    topic_matches,
)

__all__ = [
    "DEFAULTS",
    "DELIMITER",
    "FRAMED_STREAM",
    "PREFIX",
    "USUAL_STREAM",
    "BundleEntry",
    "LogSettings",
    "MetricsSettings",
    "Settings",
    "Stream",
    "SurveySettings",
    "topic_matches",
]
