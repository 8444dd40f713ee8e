"""A MariaDB of this test's own, on a socket in a folder, with Lasair's tables."""

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka_streets import wait_until
from tests.lasair.lasair_database import ID_COLUMNS

PACKAGE = "mariadb-server"

# Columns as Lasair's schema has them; of `objects`, those that filters of ours may use.
OBJECTS = {
    "lsst": """diaObjectId bigint NOT NULL, ra double, decl double, lastDiaSourceMjdTai double,
        firstDiaSourceMjdTai double, nDiaSources int, latestR float, PRIMARY KEY (diaObjectId)""",
    "ztf": """objectId varchar(16), ramean double, decmean double, jdmax double, jdmin double,
        ncand int, PRIMARY KEY (objectId)""",
}
ANNOTATIONS = """annotationID int NOT NULL AUTO_INCREMENT, {id} NOT NULL, topic varchar(255),
    version varchar({short}), timestamp timestamp DEFAULT CURRENT_TIMESTAMP,
    classification varchar({short}) NOT NULL, explanation text, classdict JSON, url text,
    PRIMARY KEY (annotationID), UNIQUE KEY one_per_object ({column}, topic)"""
SHERLOCK = """{id}, classification varchar(16), catalogue_table_name varchar(80),
    separationArcsec float, z float, photoZ float, summary varchar(80), PRIMARY KEY ({column})"""
ID_TYPES = {"lsst": "diaObjectId bigint", "ztf": "objectId varchar(16)"}
CLASSIFICATION_LENGTHS = {"lsst": 80, "ztf": 16}
FUNCTIONS = """
    CREATE FUNCTION mjdnow() RETURNS double RETURN UNIX_TIMESTAMP() / 86400 + 40587;
    CREATE FUNCTION jdnow() RETURNS double RETURN UNIX_TIMESTAMP() / 86400 + 2440587.5;
"""


class MariaDb:
    """One running server; SQL in, rows of text out."""

    def __init__(self, socket: Path) -> None:
        self._command = ["mariadb", f"--socket={socket}", "--batch", "--raw", "--skip-column-names"]

    def run(self, sql: str, database: str = "") -> list[list[str]]:
        """Run statements; the rows of the last one that has any."""
        done = subprocess.run(
            [*self._command, *([database] if database else [])],
            input=sql,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr} in {sql}"
        return [line.split("\t") for line in done.stdout.splitlines()]

    def create_lasair(self, survey: str) -> None:
        """Create one Lasair's database, named as the survey."""
        column, id_type = ID_COLUMNS[survey], ID_TYPES[survey]
        length = CLASSIFICATION_LENGTHS[survey]
        annotations = ANNOTATIONS.format(id=id_type, column=column, short=length)
        sherlock = SHERLOCK.format(id=id_type, column=column)
        self.run(f"CREATE DATABASE {survey} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        self.run(
            f"CREATE TABLE objects ({OBJECTS[survey]});"
            f"CREATE TABLE annotations ({annotations});"
            f"CREATE TABLE sherlock_classifications ({sherlock}); {FUNCTIONS}",
            survey,
        )


@contextmanager
def running_mariadb(folder: Path) -> Iterator[MariaDb]:
    """Run a server for the length of a block; skip where there is none."""
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if server is None or shutil.which("mariadb-install-db") is None:
        pytest.skip(f"no mariadbd: install Debian's package {PACKAGE}")
    folder.mkdir(parents=True)
    user, socket = getpass.getuser(), folder / "socket"
    options = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={user}"]
    install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal"]
    with (folder / "log").open("wb") as log:
        subprocess.run([*install, "--skip-test-db"], stdout=log, stderr=log, check=True)
        command = [server, *options, f"--socket={socket}", "--skip-networking"]
        process = subprocess.Popen(
            [*command, "--innodb-flush-log-at-trx-commit=0"], stdout=log, stderr=log
        )
    try:
        wait_until(socket.exists, "MariaDB's socket")
        yield MariaDb(socket)
    finally:
        process.terminate()
        process.wait(30)
