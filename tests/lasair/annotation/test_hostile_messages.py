"""Whatever a message holds, nothing that harms Lasair leaves."""

from hypothesis import given
from hypothesis import strategies as st

from broker_classifier.lasair.annotation.limits import violations
from broker_classifier.lasair.annotation.write_annotation import annotation
from tests.lasair.hostile import run
from tests.lasair.messages import MJD, answer, history_of
from tests.lasair.poison import poison_in

SURVEYS = st.sampled_from(["ztf", "lsst"])
PROBABILITIES = st.dictionaries(st.text(max_size=60), st.floats(0, 1), max_size=120)
IDS = {"ztf": "ZTF26aaaaaaa", "lsst": "313637921267122191"}


def test_thousands_of_hostile_messages_give_no_poison():
    ends = run(4_000, seed=1)
    assert ends["annotated"] > 1_000
    assert min(ends.values()) > 0


@given(
    survey=SURVEYS,
    fields=st.fixed_dictionaries(
        {
            "top_class": st.text(),
            "probabilities": PROBABILITIES,
            "probabilities_equal_prior": PROBABILITIES,
            "information_bits": st.none() | st.floats(min_value=0),
            "alert_id": st.integers(),
            "n_points_used": st.integers(min_value=0),
        }
    ),
    model=st.fixed_dictionaries({"name": st.text(), "version": st.text()}),
    days=st.floats(0, 20_000),
    page_url=st.text(),
)
def test_any_message_that_can_be_read_gives_an_annotation_without_poison(
    survey, fields, model, days, page_url
):
    about = {"survey": survey, "object_id": IDS[survey], "mjd": MJD + days}
    model = answer().model.model_copy(update=model)
    message = answer().model_copy(update={**fields, **about, "model": model})
    made = annotation(
        message, history_of(answer("SNII", days=-1.0), message), survey, "mytopic", page_url
    )
    assert made is not None
    assert poison_in(made, survey) == []
    assert violations(made, survey) == []


@given(
    survey=SURVEYS,
    changed=st.fixed_dictionaries(
        {
            "classification": st.text(max_size=100),
            "version": st.text(max_size=20),
            "classdict": st.dictionaries(
                st.text(max_size=8), st.floats() | st.text(max_size=8) | st.integers() | st.none()
            ),
            "objectId": st.text(max_size=20) | st.integers(),
        }
    ),
)
def test_the_last_gate_lets_nothing_through_that_is_poison(survey, changed):
    made = annotation(answer(), history_of(answer()), "ztf", "mytopic") | changed
    if violations(made, survey) == []:
        assert poison_in(made, survey) == []
