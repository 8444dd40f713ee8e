import uuid

from confluent_kafka import Consumer, Producer, TopicPartition


def write(bootstrap_servers: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def read(bootstrap_servers: str, topic: str) -> bytes | None:
    settings = {"bootstrap.servers": bootstrap_servers, "group.id": uuid.uuid4().hex}
    consumer = Consumer({**settings, "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.error() is None
    return message.value()


def test_what_is_written_can_be_read(kafka, unique):
    kafka.create_topic(unique)
    write(kafka.bootstrap_servers, unique, b"alert")
    assert read(kafka.bootstrap_servers, unique) == b"alert"


def test_a_restarted_broker_still_holds_its_messages(own_kafka, unique):
    own_kafka.create_topic(unique)
    write(own_kafka.bootstrap_servers, unique, b"alert")
    own_kafka.stop_broker()
    own_kafka.restart_broker()
    assert read(own_kafka.bootstrap_servers, unique) == b"alert"


def test_a_crashed_broker_comes_back_with_its_messages(own_real_kafka, unique):
    own_real_kafka.create_topic(unique)
    write(own_real_kafka.bootstrap_servers, unique, b"alert")
    own_real_kafka.crash()
    own_real_kafka.restart_broker()
    assert read(own_real_kafka.bootstrap_servers, unique) == b"alert"
