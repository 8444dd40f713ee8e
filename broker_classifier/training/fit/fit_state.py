"""All that changes while a network is fitted, so that an interrupted training can go on."""

import copy
import math
from typing import Any

import numpy as np
import torch

from broker_classifier.model.networks import Network
from broker_classifier.training.recipe_tables import Optimisation

GRADIENT_NORM = 1.0
WARM_UP_STEPS = 9  # the first weights fade sooner: after n steps the mean is of about n / 9


class FitState:
    """A network in training: weights, optimiser, random numbers, and the best weights so far.

    Parameters
    ----------
    network : Network
        Trained in place, on the device that it is on.
    settings : Optimisation
    n_batches : int
        In an epoch.
    seed : int
        Of what numpy draws; torch's generator belongs to the process, and is kept track of.

    Attributes
    ----------
    epoch : int
        The last one that is complete.
    judged : Network
        What is judged and kept: the running mean of the weights, or the network itself.
    random : numpy.random.Generator
    """

    def __init__(self, network: Network, settings: Optimisation, n_batches: int, seed: int) -> None:
        self.network, self.epoch = network, 0
        self.random = np.random.default_rng(seed)
        self._optimiser = torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, settings.learning_rate, total_steps=settings.epochs * n_batches + 1
        )
        self._average_steps = settings.averaging_epochs * n_batches
        self.judged = _twin(network) if self._average_steps else network
        self._keeps_last = settings.kept_epoch == "last"
        self._best_score, self._best = -math.inf, _copy(network)

    @property
    def learning_rate(self) -> float:
        """The one of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def step(self, loss: torch.Tensor) -> None:
        """Follow the gradient of a batch's loss."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self._optimiser.step()
        self._schedule.step()
        if self._average_steps:
            self._average()

    @torch.no_grad()
    def _average(self) -> None:
        """Move the mean towards the present weights, the faster the fewer steps are behind."""
        n = self._schedule.last_epoch
        share = max(1 / self._average_steps, WARM_UP_STEPS / (n + WARM_UP_STEPS))
        present = self.network.state_dict()
        for name, mean in self.judged.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(present[name], share)
            else:
                mean.copy_(present[name])

    def judge(self, score: float) -> None:
        """Keep the present weights if no earlier score was as high, or the last are wanted."""
        if self._keeps_last or score > self._best_score:
            self._best_score, self._best = score, _copy(self.judged)

    def leave_at_best(self) -> None:
        """Put the network back to the weights that were kept."""
        self.network.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Any]:
        """Give everything as tensors, numbers and text."""
        return {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "judged": self.judged.state_dict(),
            "best_score": self._best_score,
            "best": self._best,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "numpy": self.random.bit_generator.state,
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Become what `state_dict` was taken from, the process's random numbers included."""
        self.network.load_state_dict(state["network"])
        self.judged.load_state_dict(state["judged"])
        self.epoch, self._best_score, self._best = (
            state["epoch"],
            state["best_score"],
            state["best"],
        )
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.random.bit_generator.state = state["numpy"]
        torch.set_rng_state(state["torch"])
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["cuda"])


def _twin(network: Network) -> Network:
    """Copy a network; on a GPU, lay each recurrent layer's weights in one piece again.

    Copied tensors lie apart. cuDNN then copies them at every call, and PyTorch warns of it.
    """
    twin = copy.deepcopy(network)
    for layer in twin.modules():
        if isinstance(layer, torch.nn.RNNBase):
            layer.flatten_parameters()
    return twin


def _copy(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
