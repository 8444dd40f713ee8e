"""The server answers with what the index has, guarded: headers, token, rate, names."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from broker_classifier.config.web import WebSettings
from broker_classifier.model.find_bundle import shipped_bundles
from broker_classifier.web.index.follow import Progress
from broker_classifier.web.index.published import published
from broker_classifier.web.index.store_answers import store_answers
from broker_classifier.web.index.tables import open_index
from broker_classifier.web.server.app import app
from broker_classifier.web.server.live import News
from tests.web.published_messages import encoded, history, message

MODELS = Path(__file__).parents[2] / "models"
PATHS = ["/", "/object/ztf/ZTF26aaaaaaa", "/bundle", "/health"]


@pytest.fixture
def index(tmp_path):
    connection = open_index(tmp_path / "index.sqlite")
    store_answers(
        connection, [published(encoded(content)) for content in history("ZTF26aaaaaaa", 12)]
    )
    yield connection
    connection.close()


@pytest.fixture
def browse(index, tmp_path):
    def opened(**settings) -> TestClient:
        web = WebSettings(
            index=tmp_path / "index.sqlite",
            **{"hosts": ("testserver",), "services": (), "bundles": MODELS, **settings},
        )
        return TestClient(app(web, Progress(seq=10, waiting_for=""), News()))

    return opened


@pytest.mark.parametrize("path", [*PATHS, "/api/objects", "/nowhere"])
def test_every_answer_forbids_inline_scripts_frames_and_sniffing(browse, path):
    headers = browse().get(path).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_pages_have_no_script_and_no_style_of_their_own(browse, path):
    html = browse().get(path).text
    assert " style=" not in html
    assert "<style" not in html
    assert html.count("<script") == html.count('<script type="module" src="/assets/') + 1
    assert " on" not in html.lower().replace(" one", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/api/objects", "/api/stream"])
def test_nothing_can_be_written(browse, method, path):
    assert browse().request(method, path).status_code == 405


def test_a_name_that_is_not_the_pages_is_refused(browse):
    assert browse().get("/", headers={"Host": "evil.example"}).status_code == 400


def test_with_a_token_nothing_is_shown_without_it(browse):
    browser = browse(token="s3cret")
    for path in (*PATHS, "/api/objects", "/api/health", "/assets/x/page.css"):
        assert browser.get(path).status_code == 401
    assert (
        browser.get("/api/objects", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    )
    assert browser.get("/?token=wrong").status_code == 401


def test_a_token_in_the_address_becomes_a_cookie_and_leaves_the_address(browse):
    browser = browse(token="s3cret")
    answer = browser.get("/?class=TDE&token=s3cret", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?class=TDE")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert browser.get("/").status_code == 200


def test_a_redirect_never_leaves_the_server(browse):
    answer = browse(token="s").get("//evil.example/?token=s", follow_redirects=False)
    assert not answer.headers.get("Location", "").startswith("//")


def test_too_many_requests_are_turned_away(browse):
    browser = browse(requests_per_s=1.0)
    codes = [browser.get("/api/names").status_code for _ in range(8)]
    assert codes.count(200) == 4
    assert browser.get("/api/names").headers["Retry-After"] == "1"


def test_an_objects_data_are_fetched_while_its_script_is(browse):
    link = browse().get("/object/ztf/a%2Fb%20%3E").headers["Link"]
    assert link == "</api/objects/ztf/a%2Fb%20%3E>; rel=preload; as=fetch; crossorigin"
    assert "Link" not in browse().get("/").headers


def test_scripts_are_compressed_and_kept_for_ever(browse):
    browser = browse()
    address = browser.get("/").text.split('src="')[1].split('"')[0]
    answer = browser.get(address)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.text.endswith("start(show);\nreturn {  };\n})();")
    plain = browser.get(address, headers={"Accept-Encoding": "identity"})
    assert plain.text == answer.text
    assert browser.get(address.rsplit("/", 1)[0] + "/../app.py").status_code == 404


def test_an_object_that_is_not_there_is_a_404_with_a_sentence(browse):
    answer = browse().get("/api/objects/ztf/nobody")
    assert (answer.status_code, "nobody" in answer.json()["error"]) == (404, True)


def test_an_impossible_filter_is_a_400_with_a_sentence(browse):
    answer = browse().get("/api/objects?min_bits=x")
    assert (answer.status_code, "min_bits" in answer.json()["error"]) == (400, True)


def test_an_id_with_a_slash_is_an_address_like_any_other(index, browse):
    store_answers(index, [published(encoded(message("2021/abc ü")))])
    answer = browse().get("/api/objects/ztf/2021%2Fabc%20%C3%BC")
    assert answer.json()["object_id"] == "2021/abc ü"


def test_hostile_words_come_as_text_in_json(index, browse):
    word = "</script><script>alert(1)</script>"
    store_answers(index, [published(encoded(message(word, survey=word)))])
    answer = browse().get("/api/objects?limit=1")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["rows"][0]["object_id"] == word


def events_of(browser, **headers):
    """Read a stream's first events; it is over by itself, as its News are."""
    with browser.stream("GET", "/api/stream", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    return [
        dict(line.split(": ", 1) for line in part.splitlines())
        for part in text.split("\n\n")
        if part
    ]


@pytest.mark.parametrize(("last", "ids"), [("4", ["10"]), ("10", []), ("99", ["10"])])
def test_a_resumed_stream_begins_after_the_answer_seen_last(
    index, tmp_path, monkeypatch, last, ids
):
    news = News()
    progress = Progress(seq=10, waiting_for="")

    async def end(_self, _timeout):
        news.is_over = True

    monkeypatch.setattr(News, "wait", end)
    web = WebSettings(index=tmp_path / "index.sqlite", services=(), hosts=("*",))
    events = events_of(TestClient(app(web, progress, news)), **{"Last-Event-ID": last})
    assert [event["id"] for event in events if event.get("event") == "answers"] == ids
    assert next(event["event"] for event in events if "event" in event) == "state"


def test_a_bundle_shows_its_card_and_its_matrices(browse):
    content = browse().get("/api/bundles/ztf-transients").json()
    metrics = json.loads((MODELS / "ztf-transients" / "metrics.json").read_text())
    assert content["cuts"][-1]["classes"]["confusion"] == metrics["full"]["confusion"]
    assert len(content["cuts"]) == 1 + sum(
        len(metrics[f"by_{k}"]) for k in ("detections", "days", "fraction")
    )
    assert "<h2>" in content["card"]
    assert 'src="/api/bundles/ztf-transients/accuracy.png"' in content["card"]
    assert browse().get("/api/bundles/ztf-transients/accuracy.png").content.startswith(b"\x89PNG")


def test_a_bundle_without_metrics_still_has_a_page(browse, tmp_path):
    folder = tmp_path / "bundles" / "mine"
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_text('{"name": "mine", "version": "1", "classes": ["A"]}')
    content = browse(bundles=tmp_path / "bundles").get("/api/bundles/mine").json()
    assert (content["cuts"], content["card"], content["pictures"]) == ([], "", [])


def test_without_a_folder_the_shipped_bundles_are_shown(browse):
    assert browse(bundles=None).get("/api/bundles").json() == list(shipped_bundles())


@pytest.mark.parametrize("name", ["%2e%2e", "%2e%2e%2fmodels", ".git"])
def test_no_address_leads_out_of_the_bundles(browse, name):
    for path in (
        f"/api/bundles/{name}",
        f"/api/bundles/{name}/README.md",
        f"/api/bundles/ztf-transients/{name}",
    ):
        assert browse().get(path).status_code == 404


def test_a_service_that_is_down_is_named(browse):
    [service] = browse(services=("http://127.0.0.1:1",)).get("/api/health").json()["services"]
    assert service["is_well"] is False
    assert "http://127.0.0.1:1" in service["sentence"]
