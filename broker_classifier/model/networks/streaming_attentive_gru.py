"""Streaming attentive GRU: one step per observation, a class prediction at each.

The attention query is a learned constant (Lin et al. 2017, "A structured self-attentive sentence
embedding", r = 1), so the softmax pooling over all steps so far can be kept as a running mean.
Energies are bounded to ±10: the sum of weights cannot overflow and needs no running maximum.
"""

from typing import NamedTuple, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

ENERGY_BOUND = 10.0


class StreamingAttentiveGRUConfig(BaseModel):
    """Sizes: input channels, classes, GRU width, attention width; dropout acts in training only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_channels: int = Field(gt=0)
    n_classes: int = Field(gt=1)
    hidden: int = Field(100, gt=0)
    attention: int = Field(50, gt=0)
    dropout: float = Field(0.25, ge=0, lt=1)


class State(NamedTuple):
    """What the network remembers of B light curves: hidden states, attention's mean and weight."""

    hidden_0: Tensor  # (B, H)
    hidden_1: Tensor  # (B, H)
    context: Tensor  # (B, H), mean of h weighted by exp(energy)
    weight_sum: Tensor  # (B, 1), sum of exp(energy)


class StreamingAttentiveGRU(nn.Module):
    """Two GRU layers, running softmax attention, prediction from context ⊕ h."""

    def __init__(self, config: StreamingAttentiveGRUConfig) -> None:
        super().__init__()
        self.config = config
        width = config.hidden
        self.embed = nn.Linear(config.n_channels, config.n_channels)
        self.gru_0 = nn.GRU(config.n_channels, width, batch_first=True)
        self.norm_0 = nn.LayerNorm(width)
        self.gru_1 = nn.GRU(width, width, batch_first=True)
        self.norm_1 = nn.LayerNorm(width)
        self.key = nn.Linear(width, config.attention, bias=False)
        self.query = nn.Linear(config.attention, 1, bias=False)
        self.output = nn.Linear(2 * width, config.n_classes)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Predict at every step of padded light curves.

        Parameters
        ----------
        inputs : (B, T, n_channels)
            Padded at the end; what is there cannot reach earlier steps.

        Returns
        -------
        logits : (B, T, n_classes)
        energies : (B, T)
            Their softmax over the steps up to t is the attention at t.
        """
        below, _ = self.gru_0(self.embed(inputs))  # (B, T, C) -> (B, T, H)
        above, _ = self.gru_1(self.dropout(self.norm_0(below)))
        hidden = self.dropout(self.norm_1(above))
        energy = self._energy(hidden)  # (B, T, H) -> (B, T, 1)
        weight = torch.exp(energy)
        context = torch.cumsum(weight * hidden, dim=1) / torch.cumsum(weight, dim=1)
        logits = self.output(torch.cat([context, hidden], dim=-1))  # (B, T, 2H) -> (B, T, K)
        return logits, energy.squeeze(-1)

    def initial_state(self, batch: int) -> State:
        """Make the state of light curves without points."""
        zeros = self.output.weight.new_zeros(batch, self.config.hidden)
        return State(zeros, zeros, zeros, zeros[:, :1])

    def step(self, state: State, inputs: Tensor) -> tuple[State, Tensor, Tensor]:
        """Take one observation of each light curve; agrees with `forward` to 1e-5.

        Parameters
        ----------
        state : State
        inputs : (B, n_channels)

        Returns
        -------
        state : State
        logits : (B, n_classes)
        energy : (B,)
        """
        after, energy = self.advance(state, inputs)
        return after, self.answer(after), energy

    def advance(self, state: State, inputs: Tensor) -> tuple[State, Tensor]:
        """Do what `step` does, but for the logits."""
        embedded = self.embed(inputs)[:, None]  # (B, C) -> (B, 1, C)
        below, hidden_0 = self.gru_0(embedded, state.hidden_0[None])  # h: (B, H) -> (1, B, H)
        normed = self.dropout(self.norm_0(below))
        _, hidden_1 = self.gru_1(normed, state.hidden_1[None])
        hidden = self.dropout(self.norm_1(hidden_1[0]))  # (1, B, H) -> (B, H)
        energy = self._energy(hidden)  # (B, H) -> (B, 1)
        weight = torch.exp(energy)
        weight_sum = state.weight_sum + weight
        context = state.context + weight / weight_sum * (hidden - state.context)
        return State(hidden_0[0], hidden_1[0], context, weight_sum), energy[:, 0]

    def answer(self, state: State) -> Tensor:
        """Predict from a state that has seen a point: logits, (B, n_classes)."""
        hidden = self.norm_1(state.hidden_1)
        return cast("Tensor", self.output(torch.cat([state.context, hidden], dim=-1)))

    def _energy(self, hidden: Tensor) -> Tensor:
        unbounded = self.query(torch.tanh(self.key(hidden)))
        return ENERGY_BOUND * torch.tanh(unbounded / ENERGY_BOUND)
