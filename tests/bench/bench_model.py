"""The model on one light curve and on many, beside torch: python -m tests.bench.bench_model."""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from broker_classifier.light_curve import LightCurve, light_curve
from broker_classifier.model.classify import classify
from broker_classifier.model.networks.streaming_attentive_gru import StreamingAttentiveGRU
from broker_classifier.model.networks.streaming_runtimes import (
    CompiledRuntime,
    FastestRuntime,
    Floats,
    Runtime,
    TorchRuntime,
)
from tests.bench.figures import entry, table
from tests.streets import BUNDLE

N_POINTS, TURNS, REPETITIONS = 60, 50, 7
STREAMING = next(
    part for part in (BUNDLE, *BUNDLE.members) if isinstance(part.network, StreamingAttentiveGRU)
)


def entries(repetitions: int = REPETITIONS) -> list[dict[str, Any]]:
    """Measure the network's step and its replay, then a classification from points to class."""
    torch.set_num_threads(1)
    network = STREAMING.network
    assert isinstance(network, StreamingAttentiveGRU)
    ours, plain, compiled = FastestRuntime(network), TorchRuntime(network), CompiledRuntime(network)
    found = []
    for n, steps in ((1, 1), (1, N_POINTS), (16, 1), (512, 1)):
        name = f"network, {n} light curve{'s' * (n > 1)}, {steps} step{'s' * (steps > 1)}"
        works = [advancing(one, n, steps) for one in (ours, plain, compiled)]
        mine, torch_alone, loop_alone = in_turn(works, repetitions)
        found.append(entry(name, mine, "us", "torch", torch_alone))
        found.append(entry(name, mine, "us", "compiled loop", loop_alone))
    return [*found, classifying(repetitions), *(beside_network(n, repetitions) for n in (1, 500))]


def classifying(repetitions: int) -> dict[str, Any]:
    """Measure one new detection, from its points to its probabilities, beside a replay."""
    before, after = simulated(N_POINTS - 1), simulated(N_POINTS)
    [known] = classify([before], BUNDLE)
    assert known is not None
    step, replay = in_turn(
        [
            lambda: classify([after], BUNDLE, [known.encoder_state]),
            lambda: classify([after], BUNDLE),
        ],
        repetitions,
    )
    return entry("classify one new detection", step, "us", f"replay of {N_POINTS}", replay)


def beside_network(n: int, repetitions: int) -> dict[str, Any]:
    """Measure a new detection of n objects by the shipped bundle, beside its network alone."""
    before, after = [simulated(N_POINTS - 1)] * n, [simulated(N_POINTS)] * n
    works = []
    for bundle in (BUNDLE, STREAMING):
        states = [answer.encoder_state for answer in classify(before, bundle) if answer]
        works.append(partial(classify, after, bundle, states))
    both = ([us / n for us in times] for times in in_turn(works, repetitions))
    name = f"classify one new detection, {n} object{'s' * (n > 1)} at a time, an object"
    return entry(name, next(both), "us", "network alone", next(both))


def simulated(n: int) -> LightCurve:
    """Make the first n points of a light curve, one night and band after another."""
    rng = np.random.default_rng(0)
    flux = rng.uniform(1e3, 1e4, N_POINTS)[:n]
    mjd = 60000.0 + 1.5 * np.arange(N_POINTS)[:n]
    return light_curve(mjd, flux, 100.0, ("gr" * N_POINTS)[:n])


def advancing(runtime: Runtime, n: int, steps: int) -> Callable[[], Floats]:
    """Return what takes n light curves through some steps and predicts."""
    config = STREAMING.description.config
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n * steps, int(config["n_channels"]))).astype(np.float32)
    state = np.zeros((n, 3 * int(config["hidden"]) + 1), dtype=np.float32)
    first, count = np.arange(n) * steps, np.full(n, steps)

    def work() -> Floats:
        runtime.advance(state, rows, first, count)
        return runtime.answer(state)

    return work


def in_turn(works: Sequence[Callable[[], object]], repetitions: int) -> list[list[float]]:
    """Time each work in turn; return each one's microseconds, one for each repetition."""
    found: list[list[float]] = [[] for _ in works]
    for repetition in range(repetitions + 1):
        for times, work in zip(found, works, strict=True):
            started = time.perf_counter()
            for _ in range(TURNS):
                work()
            if repetition:  # the first warms up
                times.append((time.perf_counter() - started) * 1e6 / TURNS)
    return found


if __name__ == "__main__":
    sys.stdout.write(table(entries()) + "\n")
