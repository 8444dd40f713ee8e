"""Classifications as flat rows: CSV, Parquet, pandas."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from broker_classifier.errors import ConfigError
from broker_classifier.streams.classification import ClassificationMessage, parse

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


def row(message: ClassificationMessage) -> Row:
    """Lay a classification out flat: a column for each field that is a value, and for each class.

    The columns of the classes are `p_` and the class's name; `p_equal_prior_` is the same as if all
    classes were equally frequent.
    """
    natural = {f"p_{name}": value for name, value in message.probabilities.items()}
    equal = {f"p_equal_prior_{n}": value for n, value in message.probabilities_equal_prior.items()}
    return {
        "survey": message.survey,
        "object_id": message.object_id,
        "alert_id": message.alert_id_str,
        "mjd": message.mjd,
        "ra": message.ra,
        "dec": message.dec,
        "class": message.top_class,
        "probability": message.probability,
        "information_bits": message.information_bits,
        "n_points_used": message.n_points_used,
        "revised": message.revised,
        "model": message.model.name,
        "model_version": message.model.version,
        **natural,
        **equal,
    }


def to_pandas(messages: Iterable[ClassificationMessage]) -> "pd.DataFrame":
    """Make a table of classifications, a row each; see `row` for its columns.

    Raises
    ------
    ConfigError
        pandas is not installed.
    """
    return _pandas().DataFrame([row(message) for message in messages])


def read_rows(lines: Path) -> Iterator[Row]:
    """Read the classifications of a JSON-lines file as rows."""
    with lines.open("rb") as file:
        for line in file:
            yield row(parse(line))


def newest_of_each_object(rows: Iterable[Row]) -> list[Row]:
    """Keep each bundle's answer to each object's latest detection, in the order of the objects."""
    newest: dict[tuple[str, ...], Row] = {}
    for answer in rows:
        key = tuple(answer[name] for name in ("survey", "object_id", "model", "model_version"))
        if key not in newest or answer["mjd"] >= newest[key]["mjd"]:
            newest[key] = answer
    return list(newest.values())


def write_csv(rows: Sequence[Row], file: IO[str]) -> None:
    """Write rows as CSV; a class that a row's model does not have is empty."""
    columns = dict.fromkeys(name for answer in rows for name in answer)
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Write rows as Parquet.

    Raises
    ------
    ConfigError
        pandas or pyarrow is not installed.
    """
    try:
        _pandas().DataFrame(list(rows)).to_parquet(path, index=False)
    except ImportError as error:
        raise ConfigError(_MISSING) from error


_MISSING = (
    "pandas and pyarrow are not installed: `pip install broker-classifier[train]` brings them"
)


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise ConfigError(_MISSING) from error
    return pd
