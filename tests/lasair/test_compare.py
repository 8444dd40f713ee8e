"""What Lasair has beside what it was sent, asked through Lasair's own client."""

import pytest
from pydantic import SecretStr

from broker_classifier.errors import OutputUnavailableError
from broker_classifier.lasair.annotation.write_annotation import annotation
from broker_classifier.lasair.compare import annotations_at, compare
from broker_classifier.lasair.sending.client import LasairAnnotator
from tests.lasair.fake_lasair import FakeLasair, served
from tests.lasair.messages import answer, history_of

NAMES = {"ztf": ["ZTF26aaaaaaa", "ZTF26bbbbbbb"], "lsst": ["313637921267122191", "7"]}


@pytest.fixture(params=["ztf", "lsst"])
def lasair(request, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = FakeLasair(request.param)
    server.add_annotator("mytopic", "token")
    with served(server):
        yield server


@pytest.fixture
def annotator(lasair):
    return LasairAnnotator("mytopic", SecretStr("token"), lasair.url, 5.0)


def written(lasair, object_id, top_class="SNIa", days=0.0):
    message = answer(top_class, object_id=object_id, survey=lasair.survey, days=days)
    return annotation(message, history_of(message), lasair.survey, "mytopic")


def compared(lasair, annotator, sent):
    calls = []
    at_lasair = annotations_at(annotator, lasair.survey, lambda: calls.append(1))
    assert len(calls) == 1
    return compare({str(item["objectId"]): item for item in sent}, at_lasair)


def test_what_was_sent_and_stands_there_is_equal(lasair, annotator):
    sent = [written(lasair, name) for name in NAMES[lasair.survey]]
    annotator.send(sent)
    comparison = compared(lasair, annotator, sent)
    assert (comparison.n_equal, comparison.is_equal) == (2, True)


def test_what_lasair_lacks_or_has_otherwise_or_from_elsewhere_is_named(lasair, annotator):
    first, second = NAMES[lasair.survey]
    annotator.send([written(lasair, first), written(lasair, "8" if second == "7" else "ZTF26ccc")])
    sent = [written(lasair, first, "SNII", days=1.0), written(lasair, second)]
    comparison = compared(lasair, annotator, sent)
    assert comparison.missing == (second,)
    assert len(comparison.unknown) == 1
    there, here = comparison.different[first]
    assert (there[0], here[0], there[2], here[2]) == ("SNIa", "SNII", "1000000000", "1001000000")


def test_a_lasair_that_does_not_answer_is_named(lasair, annotator):
    lasair.failures = [503]
    with pytest.raises(OutputUnavailableError, match="503"):
        annotations_at(annotator, lasair.survey, lambda: None)
