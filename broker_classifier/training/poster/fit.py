"""Training as on the poster: Adam on the cross-entropy, the best epoch by validation accuracy."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from broker_classifier.model.networks import GridNetwork

AT_ONCE = 500
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Part(NamedTuple):
    """Inputs (n, L, C) and classes (n,) of the objects of one part."""

    inputs: Floats
    target: Ints


class Best(NamedTuple):
    """The best epoch, counted from 1, and its validation accuracy."""

    epoch: int
    accuracy: float


def fit(
    network: GridNetwork,
    training: Part,
    validation: Part,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    seed: int,
    bfloat16: bool = False,
) -> Best:
    """Train a network in place and leave it at its best epoch, the first of equal ones.

    Parameters
    ----------
    network : GridNetwork
    training, validation : Part
    epochs, batch : int
    learning_rate : float
    seed : int
        Of the order of the objects; dropout draws from torch's own generator.
    bfloat16 : bool
        Multiply in half the bits, sum and keep the weights in float32.
    """
    random = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(network.parameters(), learning_rate)
    best, weights = Best(0, -1.0), network.state_dict()
    for epoch in range(1, epochs + 1):
        network.train()
        order = random.permutation(len(training.target))
        for drawn in np.split(order, range(batch, len(order), batch)):
            inputs, target = (torch.from_numpy(part[drawn]) for part in training)
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits, _ = network(inputs)
            loss = cross_entropy(logits.float(), target)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        accuracy = float((decisions(network, validation.inputs) == validation.target).mean())
        if accuracy > best.accuracy:
            best = Best(epoch, accuracy)
            weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(weights)
    return best


def decisions(network: GridNetwork, inputs: Floats) -> Ints:
    """Decide for the most probable class: (n, L, C) -> (n,). The network ends in evaluation."""
    network.eval()
    with torch.inference_mode():
        pieces = [network(piece)[0] for piece in torch.split(torch.from_numpy(inputs), AT_ONCE)]
    return torch.cat(pieces).argmax(dim=1).numpy()
