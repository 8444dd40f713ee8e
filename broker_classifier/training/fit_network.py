"""The training loop: the loss at every prefix of every light curve, best epoch by validation.

A grid network gets one prefix of each at a time, see `grid_loss`.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from broker_classifier.calibration import Calibration, calibrated_probabilities
from broker_classifier.grid import Grid
from broker_classifier.light_curve import LightCurve
from broker_classifier.models import Network
from broker_classifier.training.alert_noise import AlertNoise
from broker_classifier.training.augment import augmented
from broker_classifier.training.cuts import Cut, cut_positions, n_before_detection
from broker_classifier.training.examples import Example
from broker_classifier.training.grid_loss import grid_loss
from broker_classifier.training.metrics import confusion_matrix, grouped
from broker_classifier.training.prefixes import batches_by_length, network_input, prefix_logits
from broker_classifier.training.recipe import Recipe

Floats = NDArray[np.float64]
GRADIENT_NORM = 1.0
TYPICAL_LENGTH = 20
UNDETECTED_SHARE = 0.1  # of the first detection's weight, before it
FIRST_JUDGED = 0.4  # the learning rate is still high before this part of the epochs


def fit_network(
    network: Network,
    training: Sequence[Example],
    validation: Sequence[Example],
    noise: AlertNoise,
    recipe: Recipe,
    seed: int,
    report: Callable[[str], None],
) -> None:
    """Train a network in place and leave it at its best epoch."""
    random = np.random.default_rng(seed)
    epochs = recipe.optimisation.epochs
    best_score, best = -np.inf, network.state_dict()
    take_step = _optimisation(network, -(-len(training) // recipe.optimisation.batch), recipe)
    for epoch in range(1, epochs + 1):
        network.train()
        losses = []
        for curves, target, weights in _batches(training, noise, recipe, random):
            if isinstance(recipe.normalisation, Grid):
                loss = grid_loss(network, curves, target, weights, recipe, random)
            else:
                loss = _loss(network, curves, target, weights, recipe)
            take_step(loss)
            losses.append(loss.item())
        message = f"epoch {epoch}/{epochs}  loss {np.mean(losses):.4f}"
        if epoch > FIRST_JUDGED * epochs:
            score, accuracy = validation_score(network, validation, training, recipe)
            message += f"  validation {score:.4f}, balanced accuracy of groups {accuracy:.3f}"
            if score > best_score:
                best_score = score
                best = {name: t.clone() for name, t in network.state_dict().items()}
        report(message)
    network.load_state_dict(best)


def _optimisation(
    network: Network, n_batches: int, recipe: Recipe
) -> Callable[[torch.Tensor], None]:
    settings = recipe.optimisation
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * n_batches + 1
    )

    def take_step(loss: torch.Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimiser.step()
        schedule.step()

    return take_step


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


def _loss(
    network: Network,
    curves: Sequence[LightCurve],
    target: torch.Tensor,
    weights: torch.Tensor,
    recipe: Recipe,
) -> torch.Tensor:
    inputs = network_input(curves, recipe.selection, recipe.normalisation)
    length = torch.tensor([len(c) for c in curves])
    n_steps = inputs.shape[1]
    step = torch.arange(n_steps)[None]
    n_before = torch.tensor([n_before_detection(c) for c in curves])
    counts = (step < length[:, None]) * prefix_shares(step - n_before[:, None], recipe)  # (B, T)
    logits, _ = network(inputs)
    each = cross_entropy(
        logits.transpose(1, 2),  # (B, T, K) -> (B, K, T)
        target[:, None].expand(-1, n_steps),
        reduction="none",
    )
    return (each * counts * weights[:, None]).sum() / len(curves)


def prefix_shares(step: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Say how much a prefix counts by its step, 0 at the first detection, below before it."""
    decay = recipe.optimisation.prefix_decay
    shares = (step.clamp(min=0) + 1.0) ** -decay
    shares = torch.where(step < 0, UNDETECTED_SHARE, shares)
    return shares / ((torch.arange(TYPICAL_LENGTH) + 1.0) ** -decay).sum()


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
        counts = confusion.sum(axis=1)
        accuracy = float((np.diag(confusion)[counts > 0] / counts[counts > 0]).mean())
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
    rows: dict[Cut, list[tuple[int, int, Floats]]] = {}
    for example, curve, steps in zip(validation, curves, logits, strict=True):
        for cut, position in cut_positions(curve):
            rows.setdefault(cut, []).append((example.target, position + 1, steps[position]))
    for found in rows.values():
        target, n_points, last = (np.array(column) for column in zip(*found, strict=True))
        yield target, calibrated_probabilities(last, n_points, calibration)
