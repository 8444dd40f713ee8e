"""What a list of objects is filtered and sorted by, read from the query of an address."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from broker_classifier.web.index.sky import chord_squared, place

SORTS = {
    "newest": "seq",
    "probability": "probability",
    "bits": "bits",
    "points": "n_points",
    "mjd": "last_mjd",
    "age": "last_mjd - first_mjd",
    "class": "top_class",
    "object": "object_id",
    "changes": "n_changes",
    "answers": "n_answers",
}
RANGES = {
    "probability": "probability",
    "bits": "bits",
    "points": "n_points",
    "age": "last_mjd - first_mjd",
    "mjd": "last_mjd",
}
Part = tuple[str, list[Any]]  # of a WHERE clause: SQL, and the values of its question marks
MOST_VALUES, USUAL_ROWS, MOST_ROWS, LONGEST_TEXT = 50, 50, 500, 100


class FilterError(ValueError):
    """An address asks for something impossible; the sentence goes to whoever asked."""


@dataclass(frozen=True)
class Condition:
    """A filter as SQL.

    Attributes
    ----------
    sql : str
        What stands after WHERE; empty where nothing is filtered.
    values : tuple
        In place of its question marks.
    """

    sql: str
    values: tuple[Any, ...]

    @property
    def where(self) -> str:
        """The whole clause."""
        return f"WHERE {self.sql}" if self.sql else ""


@dataclass(frozen=True)
class Window:
    """Which rows of the list are asked for, and in which order."""

    sort: str = "newest"
    descending: bool = True
    offset: int = 0
    limit: int = 50

    @property
    def order(self) -> str:
        """The expression of ORDER BY, without its direction."""
        return SORTS[self.sort]


def condition(query: Mapping[str, str]) -> Condition:
    """Read the filter of an address.

    Its keys are class, survey, bundle and band (one or several, with commas), min_ and max_ of
    probability, bits, points, age and mjd, ra, dec and radius (degrees; arcseconds), text (a part
    of the object's id), changed=1, and since (the number of the newest answer seen before).

    Raises
    ------
    FilterError
        If a value is no number, or out of range.

    Examples
    --------
    >>> condition({"class": "SNIa,TDE", "min_bits": "1.5"})
    Condition(sql='+top_class IN (?, ?) AND bits >= ?', values=('SNIa', 'TDE', 1.5))
    """
    parts = [*_listed(query), *_ranges(query), *_cone(query)]
    if text := query.get("text", "").strip():
        parts.append(("instr(lower(object_id), ?)", [text[:LONGEST_TEXT].lower()]))
    if query.get("changed") == "1":
        parts.append(("n_changes > 0", []))
    if (since := _number(query, "since")) is not None:
        parts.append(("seq > ?", [since]))
    return Condition(
        " AND ".join(sql for sql, _ in parts), tuple(v for _, values in parts for v in values)
    )


def window(query: Mapping[str, str]) -> Window:
    """Read sort (a minus before it turns it round: ascending), offset and limit.

    Raises
    ------
    FilterError
        If the list cannot be sorted so.

    Examples
    --------
    >>> window({"sort": "-bits"})
    Window(sort='bits', descending=False, offset=0, limit=50)
    """
    sort = query.get("sort") or "newest"
    name = sort.removeprefix("-")
    if name not in SORTS:
        msg = f"no order {name!r}; there are {', '.join(SORTS)}"
        raise FilterError(msg)
    offset, limit = _number(query, "offset") or 0, _number(query, "limit")
    limit = USUAL_ROWS if limit is None else limit
    return Window(name, not sort.startswith("-"), _within(offset, 2**31), _within(limit, MOST_ROWS))


def _within(value: float, most: int) -> int:
    return int(min(max(value, 0), most))


def _names(query: Mapping[str, str], key: str) -> list[Any]:
    return [name for name in query.get(key, "").split(",") if name][:MOST_VALUES]


def _number(query: Mapping[str, str], key: str) -> float | None:
    text = query.get(key, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"{key} is no number: {text[:LONGEST_TEXT]!r}"
        raise FilterError(msg)
    return value


def _listed(query: Mapping[str, str]) -> Iterator[Part]:
    # The plus signs keep SQLite from an index that would visit half of the table, row by row.
    for key, column in (("class", "+top_class"), ("survey", "+survey"), ("bundle", "+bundle")):
        if names := _names(query, key):
            yield f"{column} IN ({', '.join('?' * len(names))})", names
    if bands := _names(query, "band"):
        yield f"({' OR '.join(['instr(bands, ?)'] * len(bands))})", bands


def _ranges(query: Mapping[str, str]) -> Iterator[Part]:
    for key, expression in RANGES.items():
        for bound, sign in (("min", ">="), ("max", "<=")):
            if (value := _number(query, f"{bound}_{key}")) is not None:
                yield f"{expression} {sign} ?", [value]


def _cone(query: Mapping[str, str]) -> list[Part]:
    ra, dec = _number(query, "ra"), _number(query, "dec")
    radius_arcsec = _number(query, "radius")
    if ra is None and dec is None and radius_arcsec is None:
        return []
    if ra is None or dec is None or radius_arcsec is None:
        msg = "a cone takes ra and dec (degrees) and radius (arcseconds)"
        raise FilterError(msg)
    radius = radius_arcsec / 3600.0
    if not (-90 <= dec <= 90 and 0 < radius <= 180):
        msg = "dec lies between -90 and 90 degrees, radius between 0 and 648000 arcseconds"
        raise FilterError(msg)
    centre = place(ra, dec)
    return [
        ("dec BETWEEN ? AND ?", [dec - radius, dec + radius]),
        (
            "(x - ?) * (x - ?) + (y - ?) * (y - ?) + (z - ?) * (z - ?) <= ?",
            [*(v for v in centre[:3] for _ in "12"), chord_squared(radius)],
        ),
    ]
