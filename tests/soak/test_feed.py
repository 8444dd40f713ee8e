from tests.soak.feed import ALERTS_A_NIGHT, N_POINTS, OBJECTS_A_NIGHT, alert_id, packet, place_of
from tests.streets import standing, walk
from tests.ztf_packets import decode, flare


def test_every_alert_of_the_feed_brings_its_point_and_those_before_it():
    numbers = [ALERTS_A_NIGHT + 77 + point * OBJECTS_A_NIGHT for point in range(N_POINTS)]
    alerts = [decode(packet(number)) for number in numbers]
    thing, _ = place_of(numbers[0])
    assert {alert.object_id for alert in alerts} == {f"ZTF{thing:09d}"}
    assert [alert.alert_id for alert in alerts] == [alert_id(thing, n) for n in range(N_POINTS)]
    right = [decode(message) for message in flare("ZTF1", N_POINTS)]
    assert [alert.curve for alert in alerts] == [alert.curve for alert in right]


def test_all_objects_of_the_feed_have_the_same_answers():
    numbers = [point * OBJECTS_A_NIGHT + thing for point in range(N_POINTS) for thing in (3, 5)]
    answers = standing(walk([packet(number) for number in numbers])[1].sent)
    for point in range(N_POINTS):
        assert (
            answers[alert_id(3, point)]["probabilities"]
            == answers[alert_id(5, point)]["probabilities"]
        )
