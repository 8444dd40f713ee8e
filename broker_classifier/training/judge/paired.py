"""Two bundles on the same objects: figures at some cuts, and their differences object by object."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker_classifier.training.judge.bootstrap import Counts, Interval, interval, resamples
from broker_classifier.training.judge.cuts import FULL, Cut, after_days, after_detections
from broker_classifier.training.judge.groups import grouped
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.scores import (
    balanced_accuracy,
    confusion_matrices,
    confusion_matrix,
    expected_calibration_error,
)

TEN_CUTS = (
    *map(after_detections, (3, 5, 10, 20)),
    *map(after_days, (5, 10, 20, 30, 50)),
    FULL,
)
Floats = NDArray[np.float64]
ByCut = Mapping[Cut, Predictions]


class Figures(NamedTuple):
    """Figures of the groups at a cut; `recall` by group.

    `balanced_accuracy` and `recall` are under equal priors, the others under the natural prior.
    """

    n: int
    balanced_accuracy: float
    log_loss: float
    accuracy: float
    ece: float
    recall: dict[str, float]


class Difference(NamedTuple):
    """A difference and its 95 % interval, objects drawn anew within their groups."""

    value: float
    interval: Interval


class _Answers(NamedTuple):
    """What is said of the groups of objects: target and decision, (n,), probabilities, (n, G)."""

    ids: list[str]
    target: NDArray[np.int64]
    decided: NDArray[np.int64]
    joint: Floats
    groups: list[str]


def figures_at(at_cut: Predictions, classes: Sequence[str]) -> Figures:
    """Compute the figures of one cut."""
    answers = _answers(at_cut, classes)
    confusion = confusion_matrix(answers.target, answers.decided, len(answers.groups))
    n_of_group = np.maximum(confusion.sum(axis=1), 1)
    right = answers.joint.argmax(axis=1) == answers.target
    return Figures(
        len(answers.target),
        float(balanced_accuracy(confusion)),
        float(_losses(answers).mean()),
        float(right.mean()),
        float(expected_calibration_error(answers.target, answers.joint)),
        dict(zip(answers.groups, (np.diag(confusion) / n_of_group).tolist(), strict=True)),
    )


def differences(
    first: ByCut, second: ByCut, classes: Sequence[str]
) -> tuple[dict[Cut | None, Difference], dict[Cut | None, Difference]]:
    """Give second minus first at those of the ten cuts that are reached; under None their mean.

    Returns
    -------
    balanced accuracy, log loss
        By cut.
    """
    pairs = {
        cut: (_answers(first[cut], classes), _answers(second[cut], classes))
        for cut in TEN_CUTS
        if cut in first
    }
    target_of = {
        name: label
        for answers, _ in pairs.values()
        for name, label in zip(answers.ids, answers.target.tolist(), strict=True)
    }
    place = {name: i for i, name in enumerate(target_of)}
    target = np.array(list(target_of.values()))
    once = np.ones((1, len(place)), dtype=np.float32)
    counts = np.concatenate([once, resamples(target)])
    accuracy, loss = {}, {}
    for cut, (before, after) in pairs.items():
        assert before.ids == after.ids, "both judge the same objects"
        drawn = counts[:, [place[name] for name in before.ids]]
        accuracy[cut] = _accuracies(after, drawn) - _accuracies(before, drawn)
        loss[cut] = drawn @ (_losses(after) - _losses(before)) / drawn.sum(axis=1)
    return _summed_up(accuracy), _summed_up(loss)


def _answers(at_cut: Predictions, classes: Sequence[str]) -> _Answers:
    target, joint, prior, groups = grouped(
        at_cut.target, at_cut.probabilities, at_cut.prior, classes
    )
    ids = [example.canonical_id for example in at_cut.examples]
    return _Answers(ids, target, (joint / prior).argmax(axis=1), joint, groups)


def _losses(answers: _Answers) -> Floats:
    of_target = answers.joint[np.arange(len(answers.target)), answers.target]
    return np.asarray(-np.log(of_target + 1e-12))


def _accuracies(answers: _Answers, counts: Counts) -> Floats:
    matrices = confusion_matrices(answers.target, answers.decided, len(answers.groups), counts)
    return balanced_accuracy(matrices)


def _summed_up(by_cut: dict[Cut, Floats]) -> dict[Cut | None, Difference]:
    mean = np.mean(list(by_cut.values()), axis=0)
    whole: dict[Cut | None, Floats] = {}
    whole.update(by_cut.items())
    whole[None] = mean
    return {
        cut: Difference(round(float(values[0]), 4), interval(values[1:]))
        for cut, values in whole.items()
    }
