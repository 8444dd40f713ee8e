"""A Kafka for tests and the demo: librdkafka's own mock cluster, in a process of its own.

Any Kafka client connects to it. It keeps at most 5 MiB per partition (older messages vanish
silently), nothing outlives it, topics are made by `create_topic` or by first use, and its
transactions are fake: it proves nothing about exactly-once.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker_classifier.errors import SetupError

BYTES_KEPT_PER_PARTITION = 5 * 1024 * 1024
_PROGRAM = Path(__file__).with_name("_mock_cluster.py")
_STOP_TIMEOUT_S = 5.0


class EmbeddedKafka:
    """One running mock cluster; open it with `embedded_kafka`.

    It ends when the pipe to it closes, so also when the parent process is killed.

    Attributes
    ----------
    bootstrap_servers : str
        What Kafka clients, in any process of this machine, connect to.
    """

    def __init__(self, n_brokers: int = 1) -> None:
        # A session of its own: Ctrl-C in a terminal must reach the service before its broker.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), str(n_brokers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self.bootstrap_servers: str = self._reply()
        except SetupError:
            self.close()
            raise

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Create a topic that does not exist yet."""
        self._ask("create_topic", name, partitions)

    def stop_broker(self, broker_id: int = 1) -> None:
        """Close a broker's connections and refuse new ones; what it holds stays."""
        self._ask("stop_broker", broker_id)

    def restart_broker(self, broker_id: int = 1) -> None:
        """Accept connections again after `stop_broker`."""
        self._ask("restart_broker", broker_id)

    def delay_replies(self, milliseconds: int, broker_id: int = 1) -> None:
        """Answer every request of a broker this much later; 0 ends it."""
        self._ask("delay_replies", broker_id, milliseconds)

    def fail_requests(self, api_key: int, error_codes: Sequence[int]) -> None:
        """Answer the next requests of one kind with these errors, one each.

        Parameters
        ----------
        api_key : int
            Kafka protocol's key of the request: 0 Produce, 1 Fetch, 8 OffsetCommit, ...
        error_codes : sequence of int
            Kafka protocol's errors, or librdkafka's local ones (-195: the connection breaks).
        """
        self._ask("fail_requests", api_key, list(error_codes))

    def close(self) -> None:
        """End the cluster and wait until its process is gone."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, command: str, *arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()
        self._reply()

    def _reply(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait(_STOP_TIMEOUT_S)
            msg = f"embedded Kafka ended with exit code {code}; its output above says why"
            raise SetupError(msg)
        reply = json.loads(line)
        if reply["error"]:
            raise SetupError(reply["error"])
        return str(reply["answer"])


@contextmanager
def embedded_kafka(
    topics: Mapping[str, int] | None = None, n_brokers: int = 1
) -> Iterator[EmbeddedKafka]:
    """Run a mock Kafka cluster with these topics (name: partitions) for the length of a block.

    Raises
    ------
    SetupError
        If librdkafka's shared library cannot be found or a topic cannot be created.
    """
    kafka = EmbeddedKafka(n_brokers)
    try:
        for name, partitions in (topics or {}).items():
            kafka.create_topic(name, partitions)
        yield kafka
    finally:
        kafka.close()
