from pathlib import Path

import pytest

from broker_classifier.errors import ConfigError
from broker_classifier.training.recipe import read_recipe

RECIPES = sorted((Path(__file__).parents[2] / "models" / "recipes").glob("*.toml"))
SMALL = Path(__file__).with_name("small.toml")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid_and_has_its_name(path):
    assert read_recipe(path).name == path.stem


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("epochs = 12", "epoch = 12", "optimisation.epoch: no such key, there are .*epochs"),
        ("hidden = 24", "hiden = 24", "network.hiden: no such key, there are hidden, attention"),
        ('name = "small"', 'title = "small"', "title: no such key, there are .*name"),
        ("epochs = 12", "epochs = 0", "optimisation.epochs"),
        ('name = "small"', "", "name"),
        ("[network]", "[network", "cannot be read"),
        ('threshold_class = "SNIa"', "", "either threshold_class or detection_snr"),
        ('name = "small"', 'name = "My bundle"', "name: String should match"),
        ('version = "0.1.0"', 'version = "v1"', "version: String should match"),
        ('"SNII"', '"SNIa"', "classes: one is named twice"),
        ('name = "small"', 'name = "small"\narchitecture = ["gru"]', "architecture: Input should"),
    ],
)
def test_a_wrong_recipe_is_refused_by_the_name_of_its_key(tmp_path, old, new, complaint):
    path = tmp_path / "recipe.toml"
    path.write_text(SMALL.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=complaint):
        read_recipe(path)


def test_a_grid_network_cannot_weigh_prefixes_by_days(tmp_path):
    path = tmp_path / "recipe.toml"
    text = SMALL.read_text().replace("hidden = 24\nattention = 8\ndropout = 0.0", "hidden = 8")
    path.write_text('architecture = "gru"\n' + text)
    assert read_recipe(path).architecture == "gru"
    path.write_text('architecture = "gru"\n' + text + "share_by_days = 0.5\n")
    with pytest.raises(ConfigError, match="share_by_days"):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")


def test_a_recipe_that_extends_another_says_only_how_it_differs(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL.read_text())
    path = tmp_path / "other.toml"
    path.write_text('extends = "small.toml"\nname = "other"\n[network]\nhidden = 7\n')
    plain, other = read_recipe(SMALL), read_recipe(path)
    changed = {"hidden": 7}
    expected = {"name": "other", "network": plain.network | changed}
    assert other == plain.model_copy(update=expected)


def test_a_table_that_takes_the_place_of_a_text_is_refused(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL.read_text())
    path = tmp_path / "other.toml"
    path.write_text('extends = "small.toml"\n[version]\nmajor = 1\n')
    with pytest.raises(ConfigError, match="version: Input should be a valid string"):
        read_recipe(path)


def test_a_recipe_that_extends_itself_is_refused(tmp_path):
    path = tmp_path / "loop.toml"
    path.write_text('extends = "loop.toml"\n')
    with pytest.raises(ConfigError, match="extends itself"):
        read_recipe(path)
