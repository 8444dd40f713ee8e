"""Where the tests may get a real Apache Kafka, in the order in which it is looked for."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[1]
POM = TOP / "tests" / "kafka" / "pom.xml"
IMAGE = "apache/kafka:4.1.1"
FETCH_TIMEOUT_S = 600.0
ADVICE = (
    "no Kafka found: set KAFKA_BOOTSTRAP (a running broker) or KAFKA_HOME (a distribution, with"
    " Java 17+), or install Maven with Java 17+ or Docker, and let them fetch it"
)


@dataclass(frozen=True)
class KafkaSource:
    """Where a Kafka comes from: one of a running broker, a folder of jars, an image.

    `pom` says that Maven is yet to fetch the jars into `libs`.
    """

    name: str
    bootstrap_servers: str | None = None
    libs: Path | None = None
    pom: Path | None = None
    image: str | None = None


def kafka_sources(*, own: bool = False) -> Iterator[KafkaSource]:
    """Yield what could give a Kafka, best first; with `own`, what the tests may stop and crash."""
    bootstrap, home = os.environ.get("KAFKA_BOOTSTRAP"), os.environ.get("KAFKA_HOME")
    shared = TOP.parent / "shared" / "kafka" / "libs"
    if bootstrap and not own:
        yield KafkaSource(f"KAFKA_BOOTSTRAP={bootstrap}", bootstrap_servers=bootstrap)
    if has_java():
        if home:
            yield KafkaSource(f"KAFKA_HOME={home}", libs=Path(home) / "libs")
        if shared.is_dir():
            yield KafkaSource("../shared/kafka", libs=shared)
        if shutil.which("mvn"):
            yield KafkaSource("Maven, to fetch it when needed", libs=maven_libs(), pom=POM)
    if has_docker():
        yield KafkaSource(f"Docker with {IMAGE}", image=IMAGE)


@functools.cache
def obtain_kafka(*, own: bool = False) -> KafkaSource | None:
    """Return the first source that is really to be had, its jars fetched."""
    for source in kafka_sources(own=own):
        fetched = not source.pom or not source.libs or fetch_jars(source.pom, source.libs)
        if fetched:
            return source
    return None


def maven_libs() -> Path:
    """Return the folder for jars that Maven fetched, kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "broker-classifier" / "kafka-4.1.1"


def fetch_jars(pom: Path, libs: Path) -> bool:
    """Fetch Kafka's jars with Maven, whole or not at all, and tell whether they are there."""
    if libs.is_dir():
        return True
    partial = libs.with_name(f"{libs.name}.{os.getpid()}")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
    output_of(
        ["mvn", "-B", "-q", "-f", str(pom), *goal, f"-DoutputDirectory={partial}"],
        timeout_s=FETCH_TIMEOUT_S,
    )
    if not any(partial.glob("kafka_2.13-*.jar")):
        return False
    partial.rename(libs)
    return True


def has_java() -> bool:
    """Tell whether a Java 17 or newer runs here."""
    version = re.search(r'version "(\d+)', output_of(["java", "-version"]))
    return version is not None and int(version[1]) >= 17


def has_docker() -> bool:
    """Tell whether a Docker engine answers."""
    return "Server Version" in output_of(["docker", "info"])


def output_of(command: Sequence[str], timeout_s: float = 20.0) -> str:
    """Return all that a command printed; nothing where it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=timeout_s
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout + done.stderr
