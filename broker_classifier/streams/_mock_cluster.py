"""The embedded Kafka's process: librdkafka's mock cluster by ctypes, led by JSON lines on stdin.

librdkafka declares these functions in `rdkafka_mock.h`; the confluent-kafka wheel's own copy of the
library exports them. The process ends at the end of its input.

It is run as a file and imports nothing of the package, so that a broker starts in a moment.
"""

import ctypes
import ctypes.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import confluent_kafka

_WHEEL_LIBRARIES = (
    "confluent_kafka.libs/librdkafka-*.so*",  # Linux wheels
    "confluent_kafka/.dylibs/librdkafka*.dylib",  # macOS wheels
)
_TOPIC_ALREADY_EXISTS = 36
_REBALANCE_DELAY_MS = 100  # librdkafka's default of 3 s only makes starts slow
_HANDLE, _TEXT = ctypes.c_void_p, ctypes.c_char_p
_INT, _INT16, _INT32 = ctypes.c_int, ctypes.c_int16, ctypes.c_int32
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "rd_kafka_conf_new": (_HANDLE, ()),
    "rd_kafka_conf_set": (_INT, (_HANDLE, _TEXT, _TEXT, _TEXT, ctypes.c_size_t)),
    "rd_kafka_new": (_HANDLE, (_INT, _HANDLE, _TEXT, ctypes.c_size_t)),
    "rd_kafka_destroy": (None, (_HANDLE,)),
    "rd_kafka_mock_cluster_new": (_HANDLE, (_HANDLE, _INT)),
    "rd_kafka_mock_cluster_destroy": (None, (_HANDLE,)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_HANDLE,)),
    "rd_kafka_mock_topic_create": (_INT, (_HANDLE, _TEXT, _INT, _INT)),
    "rd_kafka_mock_broker_set_down": (_INT, (_HANDLE, _INT32)),
    "rd_kafka_mock_broker_set_up": (_INT, (_HANDLE, _INT32)),
    "rd_kafka_mock_broker_set_rtt": (_INT, (_HANDLE, _INT32, _INT)),
    "rd_kafka_mock_set_controller_id": (_INT, (_HANDLE, _INT32)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_HANDLE, _INT32)),
    "rd_kafka_mock_push_request_errors_array": (
        None,
        (_HANDLE, _INT16, ctypes.c_size_t, ctypes.POINTER(_INT)),
    ),
}


def load_librdkafka() -> ctypes.CDLL:
    """Load the library that confluent-kafka itself uses, with its mock cluster's functions."""
    library = ctypes.CDLL(library_path())
    for name, (result, arguments) in _SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            msg = f"{library_path()} lacks {name}; install a confluent-kafka wheel from PyPI"
            raise OSError(msg) from None
        function.restype, function.argtypes = result, arguments
    return library


def library_path() -> str:
    """Find librdkafka: beside the installed wheel, else where the system keeps it."""
    site_packages = Path(confluent_kafka.__file__).parent.parent
    for pattern in _WHEEL_LIBRARIES:
        if found := sorted(site_packages.glob(pattern)):
            return str(found[0])
    if system_library := ctypes.util.find_library("rdkafka"):
        return system_library
    msg = (
        f"no librdkafka beside confluent-kafka in {site_packages} nor in the system's library path;"
        " install confluent-kafka from a PyPI wheel, or use a real Kafka instead"
    )
    raise OSError(msg)


def start_cluster(library: ctypes.CDLL, n_brokers: int) -> tuple[int, int]:
    """Start a mock cluster; gives the handles of its client instance and of the cluster."""
    reason = ctypes.create_string_buffer(512)
    conf = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(conf, b"log_level", b"3", reason, len(reason))
    client = library.rd_kafka_new(0, conf, reason, len(reason))
    if not client:
        msg = f"librdkafka refuses to start: {reason.value.decode()}"
        raise OSError(msg)
    cluster = library.rd_kafka_mock_cluster_new(client, n_brokers)
    if not cluster:
        msg = f"librdkafka cannot open {n_brokers} listening sockets on 127.0.0.1"
        raise OSError(msg)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, _REBALANCE_DELAY_MS)
    # Without a controller, a client's attempt to create topics waits for one until it times out.
    library.rd_kafka_mock_set_controller_id(cluster, 1)
    return client, cluster


def commands(library: ctypes.CDLL, cluster: int) -> dict[str, Callable[..., int | None]]:
    """Name what the parent may ask; each gives librdkafka's error code, 0 or None for success."""
    return {
        "create_topic": lambda name, partitions: library.rd_kafka_mock_topic_create(
            cluster, name.encode(), partitions, 1
        ),
        "stop_broker": lambda broker: library.rd_kafka_mock_broker_set_down(cluster, broker),
        "restart_broker": lambda broker: library.rd_kafka_mock_broker_set_up(cluster, broker),
        "delay_replies": lambda broker, milliseconds: library.rd_kafka_mock_broker_set_rtt(
            cluster, broker, milliseconds
        ),
        "fail_requests": lambda api_key, codes: library.rd_kafka_mock_push_request_errors_array(
            cluster, api_key, len(codes), (_INT * len(codes))(*codes)
        ),
    }


def answer(request: list[Any], by_name: dict[str, Callable[..., int | None]]) -> dict[str, str]:
    """Carry out one request; the error is empty when it worked."""
    command, *arguments = request
    code = by_name[command](*arguments) or 0
    if code == 0:
        return {"answer": "", "error": ""}
    reason = "the topic exists already" if code == _TOPIC_ALREADY_EXISTS else f"error {code}"
    return {"answer": "", "error": f"embedded Kafka: {command} {arguments}: {reason}"}


def main(n_brokers: int) -> None:
    """Serve until stdin ends."""
    try:
        library = load_librdkafka()
        client, cluster = start_cluster(library, n_brokers)
    except OSError as error:
        _reply({"answer": "", "error": str(error)})
        return
    bootstrap_servers = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
    _reply({"answer": bootstrap_servers, "error": ""})
    by_name = commands(library, cluster)
    for line in sys.stdin:
        _reply(answer(json.loads(line), by_name))
    library.rd_kafka_mock_cluster_destroy(cluster)
    library.rd_kafka_destroy(client)


def _reply(reply: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
