"""A Lasair on a port of this machine, as FACTS section 5 says one behaves, traps included.

python -m tests.lasair.fake_lasair prints its address and runs until it is interrupted.
"""

import json
import sqlite3
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.http_server import Request, Response, http_server
from tests.lasair.lasair_database import ID_COLUMNS, full_query, query_error, sqlite_tables

HOUR_S = 3600.0
MAX_ITEM = {"classification": 80, "version": 16, "explanation": 1024, "url": 1024}
MAX_OF_ZTF = {"classification": 16, "version": 16}
Answer = tuple[int, Any]


@dataclass
class FakeLasair:
    """One of Lasair's two services.

    Attributes
    ----------
    survey : str
    calls_per_hour : int
        Of every token, over a sliding hour.
    failures : list of int
        Statuses that the next calls are answered with; -1 breaks the connection.
    slow_s : float
        Every answer takes this much longer.
    is_down : bool
        Every connection breaks.
    poison : callable
        Tells of an annotation whether it is refused, and with what words.
    crash : callable
        Tells of an annotation whether the server itself fails over it.
    clock : callable
        For the throttle; s.
    """

    survey: str = "ztf"
    calls_per_hour: int = 50
    failures: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    is_down: bool = False
    poison: Callable[[dict[str, Any]], str | None] = lambda _: None
    crash: Callable[[dict[str, Any]], bool] = lambda _: False
    clock: Callable[[], float] = time.monotonic
    light_curves: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    arrived: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.database = sqlite_tables(self.survey)
        self.lock = threading.RLock()
        self._history: dict[str, list[float]] = {}
        self.tokens: set[str] = set()

    def add_annotator(self, topic: str, token: str, active: int = 1) -> None:
        """Let a token own an annotator, as Lasair's team does on request."""
        self.tokens.add(token)
        with self.lock:
            self.database.execute(
                "REPLACE INTO annotators VALUES (?, ?, ?)", (topic, token, active)
            )

    def annotations(self) -> dict[str, dict[str, Any]]:
        """Return what stands in the database, by object id as text."""
        column = ID_COLUMNS[self.survey]
        with self.lock:
            rows = self.database.execute("SELECT * FROM annotations").fetchall()
        return {
            str(row[column]): dict(row) | {"classdict": json.loads(row["classdict"])}
            for row in rows
        }

    def answer(self, path: str, token: str | None, body: dict[str, Any]) -> Answer:
        """Answer one call."""
        with self.lock:
            n_items = len(body.get("annotations", ())) if isinstance(body, dict) else 0
            self.calls.append((path, n_items))
            if self.failures:
                return self.failures.pop(0), {"detail": "not now"}
            if token not in self.tokens:
                return 401, {"detail": "Invalid token."}
            if not self._is_allowed(token):
                return 429, {"message": "Request limit exceeded. Either wait an hour, or see ..."}
            routes = {
                "/api/annotate/": self._annotate,
                "/api/annotatelist/": self._annotate_list,
                "/api/query/": self._query,
                "/api/object/": self._object,
            }
            if path not in routes:
                return 404, {"detail": "Not found."}
            return routes[path](body, token)

    def _is_allowed(self, token: str) -> bool:
        now = self.clock()
        calls = [at for at in self._history.get(token, []) if at > now - HOUR_S]
        self._history[token] = calls
        if len(calls) >= self.calls_per_hour:
            return False  # and this call is not counted
        calls.append(now)
        return True

    def _annotate(self, body: dict[str, Any], token: str) -> Answer:
        if wrong := self._wrong_fields(body):
            return 400, wrong
        return self._annotate_list({"annotations": [body]}, token)

    def _annotate_list(self, body: dict[str, Any], token: str) -> Answer:
        annotations = body.get("annotations")
        if not isinstance(annotations, list) or not annotations:
            return 400, {"annotations": ["This field is required."]}
        if refusal := self._owner_error(annotations[0].get("topic", ""), token):
            return 400, {"error": refusal}
        for number, annotation in enumerate(annotations):  # those before a bad one are kept
            if self.crash(annotation):
                return 500, {"detail": "Server Error (500)"}
            if refusal := self._refusal(annotation):
                return 400, {"error": f"annotation {number}: {refusal}"}
            self._insert(annotation)
        return 200, {"status": "success", "n": len(annotations)}

    def _owner_error(self, topic: str, token: str) -> str | None:
        row = self.database.execute("SELECT * FROM annotators WHERE topic = ?", (topic,)).fetchone()
        if row is None:
            return f"Annotator error: topic {topic} does not exist"
        if row["token"] != token:
            return f"Annotator error: A User is not allowed to submit to topic {topic}"
        if not row["active"]:
            return f"Annotator error: topic {topic} is not active -- ask Lasair team"
        return None

    def _wrong_fields(self, body: dict[str, Any]) -> dict[str, list[str]]:
        limits = MAX_ITEM | (MAX_OF_ZTF if self.survey == "ztf" else {}) | {"classdict": 4096}
        wrong = {
            name: [f"Ensure this field has no more than {most} characters."]
            for name, most in limits.items()
            if len(str(body.get(name, ""))) > most
        }
        if self.survey == "lsst" and not str(body.get("objectId", "")).isdigit():
            wrong["objectId"] = ["A valid integer is required."]
        for name in ("topic", "objectId", "classification", "version", "classdict"):
            if not str(body.get(name, "")).strip():
                wrong[name] = ["This field may not be blank."]
        return wrong

    def _refusal(self, annotation: dict[str, Any]) -> str | None:
        if wrong := self._wrong_fields(annotation):
            return f"Data too long or missing: {', '.join(wrong)}"
        texts = ("topic", "version", "classification", "explanation", "classdict", "url")
        if any("'" in annotation[name] or "\\" in annotation[name] for name in texts):
            return "Query failed 1064: You have an error in your SQL syntax"
        try:
            json.loads(annotation["classdict"], parse_constant=_no_constant)
        except ValueError as error:
            return f"Bad JSON: {error}"
        return self.poison(annotation)

    def _insert(self, annotation: dict[str, Any]) -> None:
        names = ("version", "classification", "explanation", "classdict", "url")
        values = [
            annotation["objectId"],
            annotation["topic"],
            *(annotation[name] for name in names),
        ]
        self.database.execute(
            "REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, time.time())
        )
        self.database.execute("INSERT OR IGNORE INTO objects VALUES (?)", (values[0],))
        self.arrived.append((time.time(), annotation))

    def _query(self, body: dict[str, Any], _: str) -> Answer:
        selected, conditions = body["selected"], body.get("conditions", "")
        if error := query_error(selected, conditions):
            return 400, {"error": error}
        query = full_query(self.survey, selected, body["tables"], conditions)
        most, start = min(10_000, int(body.get("limit", 1000))), int(body.get("offset", 0))
        try:
            rows = self.database.execute(f"{query} LIMIT {most} OFFSET {start}").fetchall()
        except sqlite3.Error as error:
            return 400, {"error": f"Your query: {query} returned the error {error}"}
        return 200, [dict(row) for row in rows]

    def _object(self, body: dict[str, Any], _: str) -> Answer:
        text = self.light_curves.get(str(body.get("objectId")))
        return (404, {"detail": "Not found."}) if text is None else (200, text)


def _no_constant(name: str) -> float:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


@contextmanager
def served(lasair: FakeLasair) -> Iterator[FakeLasair]:
    """Serve one on a free port; `url` is its endpoint."""

    def respond(request: Request) -> Response | None:
        time.sleep(lasair.slow_s)
        if lasair.is_down or lasair.failures[:1] == [-1]:
            del lasair.failures[:1]
            return None
        text, is_json = request.body.decode(), "json" in request.headers.get("Content-Type", "")
        body = json.loads(text) if is_json else dict(urllib.parse.parse_qsl(text, True))
        token = request.headers.get("Authorization", "").removeprefix("Token ")
        status, content = lasair.answer(request.path, token, body)
        return Response(status, content if isinstance(content, str) else json.dumps(content))

    with http_server(respond) as address:
        lasair.url = f"{address}/api"
        yield lasair


def main() -> None:
    """Run one for ZTF, with the annotator `demo` of the token `demo-token`."""
    lasair = FakeLasair("ztf")
    lasair.add_annotator("demo", "demo-token")
    with served(lasair):
        sys.stdout.write(f"{lasair.url} topic demo, token demo-token\n")
        threading.Event().wait()


if __name__ == "__main__":
    main()
