"""The demo's live page: a process that serves the topic's objects, and ends with the demo."""

import json
import urllib.request

import pytest

from broker_classifier.demo.page_process import running_page
from broker_classifier.streams.embedded_kafka import embedded_kafka
from tests.kafka_streets import send, wait_until
from tests.web.published_messages import encoded, message


def objects(address):
    with urllib.request.urlopen(f"{address}api/objects", timeout=10) as answer:
        return [row["object_id"] for row in json.load(answer)["rows"]]


def test_the_live_page_shows_what_is_published_and_ends_with_the_demo(tmp_path):
    with embedded_kafka({"classifications": 1}) as kafka:
        with running_page(kafka.bootstrap_servers, tmp_path, None) as page:
            address = wait_until(page.address, "the page's address")
            send(kafka.bootstrap_servers, "classifications", [encoded(message("ZTF26live"))])
            assert wait_until(lambda: objects(address), "an object") == ["ZTF26live"]
        assert page.address() is None
        with pytest.raises(OSError, match="refused"):
            objects(address)
