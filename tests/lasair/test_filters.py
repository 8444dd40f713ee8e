"""The ready filters of deploy/lasair, on a real MariaDB with Lasair's tables."""

import json
import re
from dataclasses import dataclass

import pytest

from broker_classifier.lasair.annotation.classdict import EQUAL_PRIOR, KEYS
from broker_classifier.lasair.annotation.limits import key
from tests.kafka_sources import TOP
from tests.lasair.hostile import hostile_annotations
from tests.lasair.lasair_database import ID_COLUMNS, full_query, query_error, run_on_annotation
from tests.lasair.mariadb import running_mariadb
from tests.lasair.simulated_rows import simulated_rows

FOLDER = TOP / "deploy" / "lasair"
FILES = sorted(FOLDER.glob("*/*.sql"))
LETS_THROUGH = "-- Lets through, of the simulated rows: "


@dataclass(frozen=True)
class Filter:
    """A filter as its file has it."""

    survey: str
    selected: str
    tables: str
    conditions: str
    lets_through: set[str]


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


def read(path):
    text = path.read_text()
    _, selected, tables, conditions = re.split(r"^-- (?:SELECT|TABLES|WHERE)$", text, flags=re.M)
    [through] = [line for line in text.splitlines() if line.startswith(LETS_THROUGH)]
    names = set(through.removeprefix(LETS_THROUGH).split(", "))
    return Filter(path.parent.name, selected.strip(), tables.strip(), conditions.strip(), names)


def bundle_keys():
    files = (TOP / "models").glob("*/bundle.json")
    classes = {name for file in files for name in json.loads(file.read_text())["classes"]}
    keys = {key(name) for name in classes}
    return keys | {EQUAL_PRIOR + name for name in keys}


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory):
    with running_mariadb(tmp_path_factory.mktemp("mariadb") / "server") as database:
        for survey in ("lsst", "ztf"):
            database.create_lasair(survey)
            for row in simulated_rows(survey):
                database.run(inserted(survey, row), survey)
        yield database


def inserted_annotation(survey, made):
    """Insert an annotation as Lasair does: text between quotes, whatever it holds."""
    fields = ("objectId", "topic", "version", "classification", "explanation")
    values = [*(made[name] for name in fields), json.dumps(made["classdict"]), made["url"]]
    columns = f"{ID_COLUMNS[survey]}, topic, version, classification, explanation, classdict, url"
    values = ", ".join(f"'{value}'" for value in values)
    return f"REPLACE INTO annotations ({columns}) VALUES ({values})"


def inserted(survey, row):
    """Insert an object, what Sherlock says of it, and its annotation."""
    column, made = ID_COLUMNS[survey], row.annotation
    place, last = ("ramean", "jdmax") if survey == "ztf" else ("ra", "lastDiaSourceMjdTai")
    now = "jdnow()" if survey == "ztf" else "mjdnow()"
    return (
        f"REPLACE INTO objects ({column}, {place}, {last}) "
        f"VALUES ('{made['objectId']}', 10.0, {now} - {row.days_ago});"
        f"REPLACE INTO sherlock_classifications ({column}, classification, separationArcsec) "
        f"VALUES ('{made['objectId']}', '{row.sherlock}', {row.separation});"
        + inserted_annotation(survey, made)
    )


def let_through(mariadb, survey, query):
    names = {str(row.annotation["objectId"]): row.name for row in simulated_rows(survey)}
    return {names[row[0]] for row in mariadb.run(query, survey)}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_filter_lets_through_what_its_file_says(mariadb, path):
    written = read(path)
    query = full_query(written.survey, written.selected, written.tables, written.conditions)
    assert let_through(mariadb, written.survey, query) == written.lets_through


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_it_does_the_same_in_lower_case_when_an_annotation_triggers_it(mariadb, path):
    written = read(path)
    query = full_query(written.survey, written.selected, written.tables, written.conditions)
    ids = [str(row.annotation["objectId"]) for row in simulated_rows(written.survey)]
    lower = run_on_annotation(query, written.survey, ids)
    assert let_through(mariadb, written.survey, lower) == written.lets_through
    assert (
        let_through(mariadb, written.survey, run_on_annotation(query, written.survey, ["0"]))
        == set()
    )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_lasairs_filter_page_takes_it(path):
    written = read(path)
    assert query_error(written.selected, written.conditions) is None
    assert query_error(written.selected.lower(), written.conditions.lower()) is None
    assert "--" not in written.selected + written.conditions


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_key_is_one_that_the_classdict_has(path):
    keys = set(re.findall(r'"\$\.([^"]*)"', path.read_text()))
    assert keys
    assert keys <= set(KEYS) | bundle_keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_words_of_a_classdict_are_compared_in_lower_case(path):
    conditions = read(path).conditions
    for words in re.findall(r'JSON_VALUE\([^)]*\)\s*(?:=|IN)\s*(\([^)]*\)|"[^"]*")', conditions):
        assert words == words.lower()


def test_both_lasairs_have_the_same_filters():
    names = {
        survey: {path.stem for path in (FOLDER / survey).glob("*.sql")} for survey in ID_COLUMNS
    }
    assert names["lsst"] == names["ztf"] != set()


@pytest.mark.parametrize("survey", ["lsst", "ztf"])
def test_every_annotation_comes_out_of_the_database_as_it_was_written(mariadb, survey):
    made = [row.annotation for row in simulated_rows(survey)]
    made += [item for item, of in hostile_annotations(400, seed=5) if of == survey]
    mariadb.run("; ".join(inserted_annotation(survey, item) for item in made), survey)
    columns = "classification, version, explanation, classdict, url"
    query = f"SELECT {ID_COLUMNS[survey]}, {columns} FROM annotations"
    stored = {row[0]: row[1:] for row in mariadb.run(query, survey)}
    latest = {str(item["objectId"]): item for item in made}
    for object_id, item in latest.items():
        classification, version, explanation, classdict, url = stored[object_id]
        assert (classification, version) == (item["classification"], item["version"])
        assert (explanation, url) == (item["explanation"], item["url"])
        assert json.loads(classdict) == item["classdict"]
    mariadb.run("DELETE FROM annotations WHERE topic = 'mytopic'", survey)
    mariadb.run("; ".join(inserted(survey, row) for row in simulated_rows(survey)), survey)
