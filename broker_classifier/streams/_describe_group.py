"""Ask a Kafka what the members of a group read; `group_readers` runs this as a program.

It has nothing of the package, so it begins within 0.1 s. Standard input has the client's settings
and the group, standard output the answer, both as JSON.
"""

import json
import sys

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient


def main() -> None:
    """Answer one question; end with an error where Kafka does not."""
    question = json.load(sys.stdin)
    group, timeout_s = question["group"], question["timeout_s"]
    admin = AdminClient(question["settings"])  # it has to live until it has answered
    description = admin.describe_consumer_groups([group])[group].result(timeout_s)
    read = [
        [place.topic, place.partition]
        for member in description.members
        for place in member.assignment.topic_partitions
    ]
    is_stable = description.state == ConsumerGroupState.STABLE
    json.dump({"is_stable": is_stable, "read": read}, sys.stdout)


if __name__ == "__main__":
    main()
