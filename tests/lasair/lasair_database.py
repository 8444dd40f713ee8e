"""Lasair's tables, and how it puts the SQL of a filter together (FACTS section 5, its schema)."""

import re
import sqlite3

FORBIDDEN_STRINGS = ("#", "/*", "*/", ";", "||", "\\")
FORBIDDEN_IN_SELECT = (
    *("create", "select", "from", "where", "join", "inner", "outer", "with", "sleep"),
    *("high_priority", "straight_join", "sql_small_result", "sql_big_result"),
    *("sql_buffer_result", "sql_no_cache", "sql_calc_found_rows"),
)
FORBIDDEN_IN_WHERE = (
    *("create", "select", "union", "exists", "window", "for", "into", "outfile", "dumpfile"),
)
ID_COLUMNS = {"lsst": "diaObjectId", "ztf": "objectId"}


def query_error(selected: str, conditions: str) -> str | None:
    """Say what Lasair's filter page would refuse of a query."""
    for part, text, words in (
        ("SELECT", selected, FORBIDDEN_IN_SELECT),
        ("WHERE", conditions, FORBIDDEN_IN_WHERE),
    ):
        for string in FORBIDDEN_STRINGS:
            if string in text:
                return f"Cannot use {string} in the {part} clause"
        split = re.split(r"\s|\(|\)|\{|\}", text.lower())
        for word in words:
            if word in split:
                return f"Cannot use the word {word.upper()} in the {part} clause"
    for word in ("limit", "offset"):
        if word in conditions:
            return f"Dont put {word.upper()} in the WHERE clause"
    return None


def full_query(survey: str, selected: str, tables: str, conditions: str) -> str:
    """Join tables as Lasair does: every table to `objects`, an annotator under its topic."""
    column = ID_COLUMNS[survey]
    selected, conditions = (text.replace("'", '"') for text in (selected, conditions))
    names = [table.strip().lower() for table in tables.split(",")]
    sources, joins = ["objects"], []
    if "sherlock_classifications" in names:
        sources.append("sherlock_classifications")
        joins.append(f"objects.{column}=sherlock_classifications.{column}")
    topics = [
        t for name in names if name.startswith("annotator") for t in name.split(":")[1].split("&")
    ]
    for topic in topics:
        sources.append(f"annotations AS {topic}")
        joins += [f"objects.{column}={topic}.{column}", f'{topic}.topic="{topic}"']
    is_order = conditions.lower().strip().startswith("order")
    if conditions.strip() and not is_order:
        joins.append(conditions)
    where = f" WHERE {' AND '.join(joins)}" if joins else ""
    return f"SELECT {selected} FROM {', '.join(sources)}{where} {conditions if is_order else ''}"


def run_on_annotation(query: str, survey: str, object_ids: list[str]) -> str:
    """Change a query as Lasair does when an annotation triggers it: lower case, these objects."""
    before, *order = query.lower().split("order by")
    names = ", ".join(f'"{name}"' if survey == "ztf" else name for name in object_ids)
    column = ID_COLUMNS[survey]
    query = f"{before} AND objects.{column} IN ({names})"
    return f"{query} ORDER BY {order[0]}" if order else query


def sqlite_tables(survey: str) -> sqlite3.Connection:
    """Open the fake server's database: objects, annotations, annotators."""
    column = ID_COLUMNS[survey]
    database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.executescript(
        f"""
        CREATE TABLE objects ({column} PRIMARY KEY);
        CREATE TABLE annotations ({column}, topic TEXT, version TEXT, classification TEXT,
            explanation TEXT, classdict TEXT, url TEXT, at REAL, PRIMARY KEY ({column}, topic));
        CREATE TABLE annotators (topic TEXT PRIMARY KEY, token TEXT, active INTEGER);
        """
    )
    return database
