"""The provenance gates: a class must be judged alike wherever its light curves come from.

Supernovae come from alerts, AGN and most TDE from forced photometry. So a network could learn the
source instead of the sky, and an ordinary test score would not show it. Three gates do:

- forced_supernovae: a network that met no forced photometry of supernovae in training calls few of
  them AGN or TDE, and recognises as many SNIa among them as among alerts;
- source_probe: within SNIa, the source is guessed no better than the year within one source;
- two_pipelines: an object reduced by two pipelines keeps its probabilities.
"""

from collections.abc import Callable
from pathlib import Path

from broker_classifier.progress import Track, untracked
from broker_classifier.training.judge.gates.evidence import (
    Evidence,
    Gate,
    untried,
)
from broker_classifier.training.judge.gates.forced_supernovae import FORCED_GATE, forced_supernovae
from broker_classifier.training.judge.gates.source_probe import source_probe
from broker_classifier.training.judge.gates.two_pipelines import two_pipelines


def provenance_gates(
    evidence: Evidence, gate_folder: Path | None = None, track: Track = untracked
) -> dict[str, Gate]:
    """Try every gate, or say why it could not be tried.

    Parameters
    ----------
    evidence : Evidence
    gate_folder : path, optional
        A bundle that met no forced photometry of supernovae, or the cross-validation of such.
    track : Track
        Shows how far it is.

    Returns
    -------
    dict of str to dict
        `passed` is None for a gate that could not be tried, and `reason` says why.
    """
    gates: dict[str, Callable[[], Gate]] = {
        FORCED_GATE: lambda: forced_supernovae(evidence, gate_folder),
        "source_probe": lambda: source_probe(evidence),
        "two_pipelines": lambda: two_pipelines(evidence),
    }
    if not any(o.names_source or o.is_forced is not None for o in evidence.objects):
        unknown = untried("the data do not say where their light curves come from")
        return dict.fromkeys(gates, unknown)
    return {name: judged() for name, judged in track(gates.items(), "gates")}
