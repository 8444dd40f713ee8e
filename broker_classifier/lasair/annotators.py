"""Which Lasairs are annotated, and with what token."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from broker_classifier.config import Settings
from broker_classifier.config.lasair import AnnotatorSettings
from broker_classifier.errors import ConfigError
from broker_classifier.lasair.sending.client import LasairAnnotator
from broker_classifier.logs import get_logger

log = get_logger()


@dataclass(frozen=True)
class Annotator:
    """One annotator: its settings, and the client that holds its token."""

    settings: AnnotatorSettings
    client: LasairAnnotator


def annotators_of(settings: Settings) -> dict[str, Annotator]:
    """Open the annotator of every survey that has a name and a token; none where none has.

    Raises
    ------
    ConfigError
        If a token's file cannot be read, or several bundles would write over each other.
    """
    annotate, lasair = settings.annotate, settings.lasair
    services: Mapping[str, tuple[AnnotatorSettings, SecretStr, str]] = {
        "lsst": (annotate.lsst, lasair.lsst_token, lasair.lsst_endpoint),
        "ztf": (annotate.ztf, lasair.ztf_token, lasair.ztf_endpoint),
    }
    opened = {}
    for survey, (annotator, usual_token, endpoint) in services.items():
        _refuse_several_models(settings, survey, annotator)
        token = _token(annotator, survey) or usual_token
        if annotator.topic and not token.get_secret_value():
            log.warning("not annotated, as there is no token", survey=survey, topic=annotator.topic)
        elif annotator.topic:
            client = LasairAnnotator(annotator.topic, token, endpoint, annotate.timeout_s)
            opened[survey] = Annotator(annotator, client)
    return opened


def _refuse_several_models(settings: Settings, survey: str, annotator: AnnotatorSettings) -> None:
    table = settings.surveys.get(survey)
    live = [str(entry) for entry in table.bundles if not entry.shadow] if table else []
    if annotator.topic and not annotator.model and len(live) > 1:
        msg = (
            f"annotate.{survey}.model: several bundles answer {survey} alerts ({', '.join(live)}); "
            "name the one whose answers Lasair gets"
        )
        raise ConfigError(msg)


def _token(annotator: AnnotatorSettings, survey: str) -> SecretStr | None:
    if annotator.token.get_secret_value():
        return annotator.token
    if annotator.token_file is None:
        return None
    try:
        token = annotator.token_file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__  # a decoding error quotes what it could not decode
        msg = f"annotate.{survey}.token_file: {annotator.token_file} cannot be read: {reason}"
        raise ConfigError(msg) from None
    return SecretStr(token)
