"""The training loop: the loss at every prefix of every light curve.

A grid network gets one prefix of each light curve at a time, see `grid_loss`.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from broker_classifier.light_curve import LightCurve
from broker_classifier.model.calibration import Calibration, calibrated_probabilities
from broker_classifier.model.networks import Network
from broker_classifier.progress import Track
from broker_classifier.training.fit.augment import augmented
from broker_classifier.training.fit.checkpoint import training_identity
from broker_classifier.training.fit.fit_state import FitState
from broker_classifier.training.fit.grid_loss import grid_loss
from broker_classifier.training.fit.journal import CPU, Journal, Run
from broker_classifier.training.fit.prefix_weights import prefix_weights
from broker_classifier.training.homogenise.alert_noise import AlertNoise
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import Cut, cut_positions
from broker_classifier.training.judge.groups import grouped
from broker_classifier.training.judge.prefix_logits import (
    batches_by_length,
    device_of,
    network_input,
    prefix_logits,
)
from broker_classifier.training.judge.scores import balanced_accuracy, confusion_matrix
from broker_classifier.training.recipe import Recipe

Floats = NDArray[np.float64]
FIRST_JUDGED = 0.4  # the learning rate is still high before this part of the epochs


def fit_network(
    network: Network,
    training: Sequence[Example],
    validation: Sequence[Example],
    noise: AlertNoise,
    recipe: Recipe,
    run: Run,
) -> None:
    """Train a network in place and leave it at its best or last epoch, on the CPU."""
    network.to(run.device)
    n_batches = -(-len(training) // recipe.optimisation.batch)
    state = FitState(network, recipe.optimisation, n_batches, run.seed)
    identity = training_identity(recipe, run.seed, training, validation)
    epochs = recipe.optimisation.epochs
    with closing(Journal(run, epochs, identity, state)) as journal:
        for _ in run.track(range(state.epoch, epochs), "epochs"):
            figures = {"learning rate": state.learning_rate}
            figures["loss"] = _fit_epoch(state, training, noise, recipe, run.track)
            state.epoch += 1
            if state.epoch > FIRST_JUDGED * epochs:
                score, accuracy = validation_score(state.judged, validation, training, recipe)
                state.judge(score)
                figures |= {"validation": score, "balanced accuracy of groups": accuracy}
            journal.write(figures)
    state.leave_at_best()
    network.to(CPU)


def _fit_epoch(
    state: FitState,
    training: Sequence[Example],
    noise: AlertNoise,
    recipe: Recipe,
    track: Track,
) -> float:
    """Train on every batch once; return their mean loss."""
    state.network.train()
    losses = []
    batches = _batches(training, noise, recipe, state.random)
    n_batches = -(-len(training) // recipe.optimisation.batch)
    for curves, target, weights in track(batches, "batches", n_batches):
        if recipe.normalisation.has_row_per_point:
            loss = prefix_loss(state.network, curves, target, weights, recipe)
        else:
            loss = grid_loss(state.network, curves, target, weights, recipe, state.random)
        state.step(loss)
        losses.append(loss.item())
    return float(np.mean(losses))


def _batches(
    training: Sequence[Example], noise: AlertNoise, recipe: Recipe, random: np.random.Generator
) -> Iterator[tuple[list[LightCurve], torch.Tensor, torch.Tensor]]:
    """Draw an epoch: augmented light curves, their classes (B,) and weights in the loss (B,)."""
    weight = draw_weights(training, recipe)
    drawn = np.arange(len(training))
    if recipe.optimisation.oversampling_exponent > 0:
        drawn = random.choice(drawn, len(training), p=draw_shares(training, recipe))
    examples = [training[i] for i in drawn.tolist()]
    curves = [augmented(e, recipe.augmentation, noise, recipe.selection, random) for e in examples]
    for batch in batches_by_length([len(c) for c in curves], recipe.optimisation.batch, random):
        target = torch.tensor([examples[i].target for i in batch])
        weights = torch.from_numpy(weight[drawn[batch]]).float()
        yield [curves[i] for i in batch], target, weights


def class_frequencies(examples: Sequence[Example], n_classes: int) -> Floats:
    """Share of the objects that each class has; sums to 1."""
    target = [e.target for e in examples]
    counts = np.bincount(target, weights=[e.weight for e in examples], minlength=n_classes)
    return np.asarray(counts / counts.sum())


def class_weights(frequencies: Floats, exponent: float) -> Floats:
    """Weights frequency^-exponent, normalised so that the average object has 1."""
    weights = frequencies**-exponent
    return np.asarray(weights / (weights * frequencies).sum())


def draw_shares(training: Sequence[Example], recipe: Recipe) -> Floats:
    """Probability of drawing each example in oversampling; sums to 1."""
    frequencies = class_frequencies(training, len(recipe.classes))
    by_class = frequencies**-recipe.optimisation.oversampling_exponent
    share = np.array([by_class[e.target] * e.weight for e in training])
    return np.asarray(share / share.sum())


def draw_weights(training: Sequence[Example], recipe: Recipe) -> Floats:
    """Weight in the loss of each example once it is drawn; the average draw has 1."""
    settings = recipe.optimisation
    frequencies = class_frequencies(training, len(recipe.classes))
    exponent = settings.class_weight_exponent - settings.oversampling_exponent
    weight = frequencies[[e.target for e in training]] ** -exponent
    if settings.oversampling_exponent == 0:
        weight = weight * [e.weight for e in training]
        return np.asarray(weight / weight.mean())
    return np.asarray(weight / (weight * draw_shares(training, recipe)).sum())


def prefix_loss(
    network: Network,
    curves: Sequence[LightCurve],
    target: torch.Tensor,
    weights: torch.Tensor,
    recipe: Recipe,
) -> torch.Tensor:
    """Compute the loss over all prefixes of a batch; parameters are those of `grid_loss`."""
    device = device_of(network)
    inputs = network_input(curves, recipe.selection, recipe.normalisation).to(device)
    n_steps = inputs.shape[1]
    counts = torch.zeros(len(curves), n_steps)
    for i, curve in enumerate(curves):
        counts[i, : len(curve)] = torch.from_numpy(prefix_weights(curve, recipe.optimisation))
    logits, _ = network(inputs)
    each = cross_entropy(
        logits.transpose(1, 2),  # (B, T, K) -> (B, K, T)
        target.to(device)[:, None].expand(-1, n_steps),
        reduction="none",
    )
    return (each * counts.to(device) * weights.to(device)[:, None]).sum() / len(curves)


def validation_score(
    network: Network,
    validation: Sequence[Example],
    training: Sequence[Example],
    recipe: Recipe,
) -> tuple[float, float]:
    """Judge an epoch: balanced accuracy of the groups / 2 - log loss / 4, averaged over all cuts.

    Returns
    -------
    score, balanced accuracy
    """
    prior = class_frequencies(training, len(recipe.classes))
    weights = class_weights(prior, recipe.optimisation.class_weight_exponent)
    untempered = Calibration(
        prior=tuple(prior.tolist()), log_trained_prior=tuple(np.log(prior * weights).tolist())
    )
    scores, accuracies = [], []
    for target, probabilities in _at_cuts(network, validation, recipe, untempered):
        group, joint, group_prior, names = grouped(target, probabilities, prior, recipe.classes)
        confusion = confusion_matrix(group, (joint / group_prior).argmax(axis=1), len(names))
        accuracy = float(balanced_accuracy(confusion))
        log_loss = -float(np.log(joint[np.arange(len(group)), group] + 1e-12).mean())
        scores.append(accuracy / 2 - log_loss / 4)
        accuracies.append(accuracy)
    return float(np.mean(scores)), float(np.mean(accuracies))


def _at_cuts(
    network: Network,
    validation: Sequence[Example],
    recipe: Recipe,
    calibration: Calibration,
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    curves = [e.curves[0] for e in validation]
    logits = prefix_logits(network, curves, recipe.selection, recipe.normalisation)
    rows: dict[Cut, list[tuple[int, int, float, Floats]]] = {}
    for example, curve, steps in zip(validation, curves, logits, strict=True):
        age = curve.mjd - curve.mjd[0]
        for cut, i in cut_positions(curve):
            rows.setdefault(cut, []).append((example.target, i + 1, float(age[i]), steps[i]))
    for at_cut in rows.values():
        target, n_points, age, last = (np.array(column) for column in zip(*at_cut, strict=True))
        yield target, calibrated_probabilities(last, n_points, age, calibration)
