"""The guide says what the code says: keys, filters, settings, metrics."""

import re

from broker_classifier.cli.load_settings import settings_table
from broker_classifier.lasair.annotation.classdict import KEYS
from tests.kafka_sources import TOP
from tests.lasair.test_filters import FOLDER

GUIDE = (TOP / "docs" / "guides" / "lasair.md").read_text()


def table_after(head):
    """The first two columns of a table of the guide."""
    rows = GUIDE.split(head)[1].split("\n\n")[0].splitlines()[1:]
    return [tuple(cell.strip(" `") for cell in row.strip("|").split("|")[:2]) for row in rows]


def test_every_key_is_in_the_guide_with_its_sentence():
    assert table_after("| key | what it is |\n")[: len(KEYS)] == list(KEYS.items())


def test_every_filter_is_in_the_guide_with_its_title():
    titles = {file.name: file.read_text().splitlines()[0] for file in FOLDER.glob("lsst/*.sql")}
    listed = table_after("| file | lets through |\n")
    assert {name: f"-- {title}" for name, title in listed} == titles


def test_the_settings_that_the_guide_names_are_there():
    names = {name for name, _, _ in settings_table()}
    named = set(re.findall(r"`((?:annotate|lasair)\.[a-z_.]+)`", GUIDE)) - {"lasair.toml"}
    assert named
    assert named <= names
    variables = re.findall(r"BROKER_([A-Z_]+[A-Z])", GUIDE)
    assert {variable.lower().replace("__", ".") for variable in variables} <= names
