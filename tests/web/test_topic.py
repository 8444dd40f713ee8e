"""What the server says is what an independent client reads from the topic."""

import json
import socket
from urllib.parse import quote

import pytest

from tests.kafka_streets import read_topic
from tests.web.published_messages import history, message
from tests.web.served import Served


@pytest.fixture
def served(kafka, unique, tmp_path):
    topic = f"answers-{unique}"
    kafka.create_topic(topic, 3)
    page = Served(kafka.bootstrap_servers, topic, tmp_path)
    page.start()
    yield page
    page.stop()


def test_the_servers_json_says_what_an_independent_reader_finds_in_the_topic(served):
    revised = message("ZTF26aaaaaaa", 9, revised=True, curve_version=5_000, **{"class": "TDE"})
    messages = [*history("ZTF26aaaaaaa", 15), *history("2026/ü", 8), revised]
    served.publish(messages)
    records = read_topic(served.bootstrap_servers, served.topic, len(messages))
    standing = {}
    for content in (json.loads(record.value) for record in records):
        before = standing.get(content["id"], content)
        if before["curve_version"] <= content["curve_version"]:
            standing[content["id"]] = content
    seen = {}
    for name in {content["object_id"] for content in standing.values()}:
        [bundle] = served.ask(f"/api/objects/ztf/{quote(name, safe='')}")["bundles"]
        for answer in bundle["answers"]:
            seen[answer["message"]["id"]] = answer["message"], answer["n_points"]
    assert seen.keys() == standing.keys()
    for answer_id, content in standing.items():
        curve = content.pop("light_curve")
        expected = content | {"alert_id": str(content["alert_id"])}
        assert seen[answer_id] == (expected, len(curve))


def test_what_is_no_classification_is_counted_and_passed_over(served):
    served.publish([{"object_id": "x", "hello": "world"}, message()], n_good=1)
    page = served.ask("/api/health")["page"]
    assert (page["seq"], page["n_unreadable"]) == (1, 1)


def test_a_browser_that_never_reads_holds_nobody_up(served):
    with socket.create_connection(("127.0.0.1", served.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /api/stream?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for n_points in range(3, 13):
            served.publish(message(f"ZTF26a{i:06d}", n_points) for i in range(150))
        page = served.ask("/api/health")["page"]
    assert (page["seq"], page["n_streams"]) == (1500, 1)
