from pathlib import Path

import numpy as np
import pytest
import torch

from broker_classifier.errors import ConfigError, DataError
from broker_classifier.model.architectures import build_network
from broker_classifier.training.fit import fit_network as loop
from broker_classifier.training.fit.checkpoint import CHECKPOINT_FILE, write_checkpoint
from broker_classifier.training.fit.journal import Run, choose_device
from broker_classifier.training.fit.tensorboard import FILE_PREFIX
from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.recipe import read_recipe
from tests.curves import detections
from tests.training.noises import plain_noise

SMALL = (Path(__file__).parents[1] / "small.toml").read_text()
STREAMING = "streaming_attentive_gru"
NETWORKS = {
    STREAMING: "hidden = 8\nattention = 4\ndropout = 0.3",
    "gru": "hidden = 8",
}


def recipe_of(folder, architecture=STREAMING, epochs=5):
    text = SMALL.replace("hidden = 24\nattention = 8\ndropout = 0.0", NETWORKS[architecture])
    text = text.replace("epochs = 12", f"epochs = {epochs}\naveraging_epochs = 2")
    path = folder / f"{architecture}-{epochs}.toml"
    grid = "" if architecture == STREAMING else "[normalisation]\nlength = 16\n"
    path.write_text(f'architecture = "{architecture}"\n{text}{grid}')
    return read_recipe(path)


def examples(n):
    for i in range(n):
        random = np.random.default_rng(i)
        mjd = 59000.0 + np.cumsum(random.uniform(1.0, 4.0, 12))
        flux = 2e4 + 1e4 * (i % 3) * np.arange(12) + random.normal(0, 1e3, 12)
        yield Example(str(i), "somebody/alerts", i % 3, 1.0, (detections(mjd, flux),))


TRAINING, VALIDATION = list(examples(40)), list(examples(8))


def fit(folder, recipe, seed=0, training=TRAINING, **run):
    """Train, and give the weights as one array."""
    torch.manual_seed(seed)
    network = build_network(recipe.architecture, recipe.network_config())
    run = Run(folder, seed, **run)
    loop.fit_network(network, training, VALIDATION, plain_noise(), recipe, run)
    return torch.cat([tensor.flatten().double() for tensor in network.state_dict().values()])


def interrupted(folder, recipe, monkeypatch, n_curves):
    """Train until so many light curves have been drawn."""
    plain, drawn = loop.augmented, []

    def augmented(*arguments):
        drawn.append(1)
        if len(drawn) > n_curves:
            raise KeyboardInterrupt
        return plain(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "augmented", augmented)
        with pytest.raises(KeyboardInterrupt):
            fit(folder, recipe)


@pytest.mark.parametrize(
    ("architecture", "n_epochs_done"),
    [(STREAMING, 0), (STREAMING, 1), (STREAMING, 3), (STREAMING, 4), ("gru", 3)],
)
def test_a_training_that_was_interrupted_ends_as_if_it_had_not_been(
    tmp_path, monkeypatch, architecture, n_epochs_done
):
    recipe = recipe_of(tmp_path, architecture)
    expected = fit(tmp_path / "whole", recipe)
    interrupted(tmp_path / "parts", recipe, monkeypatch, 40 * n_epochs_done + 7)
    torch.rand(5)  # whatever the process does in between
    assert torch.equal(fit(tmp_path / "parts", recipe, resumes=True), expected)


def test_a_training_that_does_not_resume_begins_anew(tmp_path, monkeypatch):
    recipe, folder = recipe_of(tmp_path), tmp_path / "run"
    interrupted(folder, recipe, monkeypatch, 100)
    lines = []
    fit(folder, recipe, report=lines.append)
    assert lines[0].startswith("epoch 1/5")
    assert len(list(folder.glob(f"{FILE_PREFIX}.*"))) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "another seed"),
        ({"training": TRAINING[:-1]}, "another data"),
        ({"epochs": 6}, "another recipe"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, changes, named):
    recipe = recipe_of(tmp_path, epochs=1)
    fit(tmp_path, recipe)
    other = recipe_of(tmp_path, epochs=changes.pop("epochs", 1))
    with pytest.raises(DataError, match=named):
        fit(tmp_path, other, resumes=True, **changes)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    recipe = recipe_of(tmp_path, epochs=1)
    fit(tmp_path, recipe)
    path = tmp_path / CHECKPOINT_FILE
    for content in (path.read_bytes()[:-300], b"no checkpoint", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            fit(tmp_path, recipe, resumes=True)


def test_a_crash_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / CHECKPOINT_FILE
    write_checkpoint(path, {"epoch": 1}, {})
    before = path.read_bytes()

    def half(content, file):
        file.write(b"half a checkpoint")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, {"epoch": 2}, {})
    assert path.read_bytes() == before


@pytest.mark.parametrize("architecture", NETWORKS)
def test_the_loss_is_computed_where_the_network_is(tmp_path, architecture):
    recipe = recipe_of(tmp_path, architecture)
    network = build_network(architecture, recipe.network_config()).to("meta")
    batch = [e.curves[0] for e in TRAINING[:4]], torch.tensor([0, 1, 2, 0]), torch.ones(4)
    if architecture == "gru":
        loss = loop.grid_loss(network, *batch, recipe, np.random.default_rng(0))
    else:
        loss = loop.prefix_loss(network, *batch, recipe)
    loss.backward()
    assert {p.grad.device.type for p in network.parameters()} == {"meta"}


def test_the_device_is_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "tpu"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError):
        choose_device(name)
