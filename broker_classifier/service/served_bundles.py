"""The bundles that answer a survey's alerts, each with the topic of its answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from broker_classifier.config import BundleEntry, Settings
from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import BundleError, ConfigError
from broker_classifier.model.bundle import Bundle, load_bundle
from broker_classifier.model.find_bundle import find_bundle
from broker_classifier.surveys.alert import SIMULATION_OF


@dataclass(frozen=True, eq=False)
class ServedBundle:
    """A bundle at work.

    Attributes
    ----------
    bundle : Bundle
    topic : str
        Where its answers go.
    """

    bundle: Bundle
    topic: str

    @property
    def label(self) -> str:
        """Name and version, as they stand in the id of a message."""
        return f"{self.bundle.name}:{self.bundle.version}"


Served = Mapping[str, Sequence[ServedBundle]]
"""The bundles of every survey that has some; alerts of others are declined."""


def load_bundles(settings: Settings, *, with_shadows: bool = True) -> dict[str, list[ServedBundle]]:
    """Load and check the bundles of every survey that has some in the settings, each once.

    Parameters
    ----------
    settings : Settings
    with_shadows : bool
        Whether to take those, too, that run in shadow.

    Raises
    ------
    BundleError
        If a bundle is not whole, or is for another survey, or two cannot be told apart.
    """
    torch.set_num_threads(settings.model_threads)
    chosen = {
        str(survey): [e for e in table.bundles if with_shadows or not e.shadow]
        for survey, table in settings.surveys.items()
    }
    folders = {entry.name for entries in chosen.values() for entry in entries}
    loaded = {folder: load_bundle(folder) for folder in sorted(folders)}
    served = {}
    for survey, entries in chosen.items():
        for entry in entries:
            _refuse_other_surveys(survey, entry, loaded[entry.name])
        served[survey] = [
            ServedBundle(loaded[entry.name], _topic_of(entry, settings.kafka)) for entry in entries
        ]
        _refuse_twins(survey, served[survey])
    return {survey: of_survey for survey, of_survey in served.items() if of_survey}


def _topic_of(entry: BundleEntry, kafka: KafkaSettings) -> str:
    return kafka.shadow_topic if entry.shadow else kafka.output_topic


def _refuse_other_surveys(survey: str, entry: BundleEntry, bundle: Bundle) -> None:
    if bundle.survey not in (survey, SIMULATION_OF.get(survey)):
        msg = (
            f"the bundle {entry.name} is for {bundle.survey} alerts, not for {survey}; "
            f"give one that is with --bundle, or set surveys.{survey}.bundles"
        )
        raise BundleError(msg)


def _refuse_twins(survey: str, served: Iterable[ServedBundle]) -> None:
    """Refuse two bundles of one name on one topic: who reads it tells them by their names."""
    names = set()
    for of_survey in served:
        name = of_survey.bundle.name, of_survey.topic
        if name in names:
            msg = (
                f"surveys.{survey}.bundles has two bundles with the name {of_survey.bundle.name} "
                f"for {of_survey.topic}; name one of them otherwise in its bundle.json, or let one "
                "run live and the other with shadow = true"
            )
            raise BundleError(msg)
        names.add(name)


def folder_of_bundle(settings: Settings, survey: str, chosen: Path | None = None) -> Path:
    """Find the folder of a chosen bundle, or of the first that the settings have for a survey.

    Raises
    ------
    ConfigError
        If there is none for it.
    """
    table = settings.surveys.get(survey)
    named = [chosen] if chosen else [entry.name for entry in table.bundles] if table else []
    if not named:
        msg = f"no bundle is set for {survey} alerts: give one with --bundle"
        raise ConfigError(msg)
    return find_bundle(named[0])
