"""The page goes on by itself when the server, Kafka, or its index has been away."""

from playwright.sync_api import expect

from broker_classifier.streams.embedded_kafka import embedded_kafka
from tests.browser.pages import wait_for_text
from tests.web.published_messages import history, message
from tests.web.served import Served


def test_the_page_goes_on_after_a_restart_of_the_server_and_of_kafka(tab, tmp_path):
    with embedded_kafka({"answers": 1}) as broker:
        served = Served(broker.bootstrap_servers, "answers", tmp_path)
        served.start()
        try:
            served.publish(history("ZTF26before", 5))
            tab.goto(served.address())
            wait_for_text(tab, ".state", "Live")
            wait_for_text(tab, ".rows", "ZTF26before")

            assert served.stop() == 0
            expect(tab.locator(".state")).to_have_attribute("data-kind", "offline")
            served.start()
            wait_for_text(tab, ".state", "Live")
            assert served.n_answers() == 3
            served.publish([message("ZTF26server", 4)])
            wait_for_text(tab, ".rows", "ZTF26server")

            broker.stop_broker()
            broker.restart_broker()
            served.publish([message("ZTF26kafka", 4)])
            wait_for_text(tab, ".rows", "ZTF26kafka")
            wait_for_text(tab, ".state", "Live")
        finally:
            served.stop()


def test_a_lost_index_is_made_again_of_the_topic(tmp_path):
    with embedded_kafka({"answers": 2}) as broker:
        served = Served(broker.bootstrap_servers, "answers", tmp_path)
        served.start()
        served.publish(history("ZTF26kept", 12))
        before = served.ask("/api/objects/ztf/ZTF26kept")
        served.stop()
        for file in tmp_path.glob("index.sqlite*"):
            file.unlink()
        served.start()
        try:
            served.publish([message("ZTF26other", 4)])
            after = served.ask("/api/objects/ztf/ZTF26kept")
        finally:
            served.stop()
    assert without_seq(after) == without_seq(before)


def without_seq(content):
    """An object without the numbers in which its answers were read."""
    for bundle in content["bundles"]:
        for answer in bundle["answers"]:
            answer.pop("seq")
    return content
