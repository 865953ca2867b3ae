"""Checking a model card before it is pushed."""

import json

import pytest
from huggingface_hub import ModelCard, metadata_update
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.localhub import cards


def card(metadata):
    return f"---\n{metadata}\n---\n# Title\n"


RESULT = "model-index: [{name: m, results: [{task: {type: t}, dataset: {type: d, name: n%s}, metrics: [%s]}]}]"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 9)
)
GOOD = [
    "license: mit",
    "license: [mit, apache-2.0]\nlanguage: [en, zh-Hans, multilingual]\ntags: [a]\nbase_model: a/b\nmetrics: accuracy",
    RESULT % (", config: c, args: {x: 1}", "{type: f1, value: 0.5, verified: false}"),
    "unknown_key: {kept: as it is}\ndate: 2024-01-01\nnumber: .nan",
    "base: &b {a: 1}\nother: *b",
]
BAD = [
    (RESULT % (", config: [1]", "{type: f1, value: 1}"), '"model-index[0].results[0].dataset.config" must be a string'),
    (RESULT % ("", "{type: f1}"), '"model-index[0].results[0].metrics[0].value" is required'),
    (RESULT % ("", "{value: 1}"), '"model-index[0].results[0].metrics[0].type" is required'),
    (RESULT % ("", "f1"), '"model-index[0].results[0].metrics[0]" must be of type object'),
    ("model-index: {}", '"model-index" must be an array'),
    ("model-index: [{results: []}]", '"model-index[0].name" is required'),
    ("model-index: [{name: m}]", '"model-index[0].results" is required'),
    ("model-index: [{name: m, results: [{metrics: []}]}]", '"model-index[0].results[0].task" is required'),
    ("license: [1]", '"license[0]" must be a string'),
    ("license: Some Licence", '"license" with value "Some Licence" is not valid'),
    ("language: english", '"language" with value "english" is not valid'),
    ("language: {en: 1}", '"language" must be a string or an array'),
    ("tags: one", '"tags" must be an array'),
    ("datasets: ['a b']", '"datasets[0]" with value "a b" is not valid'),
    ("pipeline_tag: [a]", '"pipeline_tag" must be a string'),
    ("- a\n- b", "must be an object"),
    ("a: [", "line 3"),
    ("a: 1\na: 2", "duplicated mapping key"),
    ("a: !!python/object:os.system x", "Invalid YAML"),
    ("a: !!timestamp x", "Invalid YAML"),
    ("a: &a [*a]", "too large or nested too deeply"),
    (BOMB, "aliases"),
    ("a: " + "[" * 5000, "nested too deeply"),
    ("a: " + "x" * 200_001, "longer than"),
    ("a: 0x" + "f" * 5000, "too large"),
]


@pytest.mark.parametrize("metadata", GOOD)
def test_a_good_card_is_accepted(metadata):
    assert cards.check(card(metadata), "model") == ([], [])


@pytest.mark.parametrize(("metadata", "message"), BAD, ids=[message for _, message in BAD])
def test_a_bad_card_is_refused_in_the_words_of_the_hub(metadata, message):
    errors, _ = cards.check(card(metadata), "model")
    assert any(message in error for error in errors), errors


def test_a_space_is_checked_for_what_only_a_space_has():
    assert cards.check(card("sdk: flask"), "model") == ([], [])
    assert "gradio" in cards.check(card("sdk: flask"), "space")[0][0]


@given(st.text(alphabet="a-:[]{}&*!|>'\"#? \n\t\ud800é,0.<=~@`%", max_size=80))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_gives_a_verdict_that_json_can_carry(text):
    errors, warnings = cards.check(card(text), "space")
    json.dumps([errors, warnings])
    if not errors:
        json.dumps(cards.front_matter(card(text)), allow_nan=False).encode()


def test_the_client_raises_on_errors_and_warns_on_warnings(api, repo):
    with pytest.raises(ValueError, match='"tags" must be an array'):
        api.upload_file(path_or_fileobj=card("tags: one").encode(), path_in_repo="README.md", repo_id=repo)
    assert not api.file_exists(repo, "README.md")
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        api.upload_file(path_or_fileobj=b"# no metadata", path_in_repo="README.md", repo_id=repo)
    assert api.file_exists(repo, "README.md")


def test_cards_and_metadata_are_pushed_by_the_clients_own_helpers(hub, api, repo, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", hub.url)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    ModelCard(card("license: mit")).push_to_hub(repo, token=api.token)
    metadata_update(repo, {"tags": ["new"]}, token=api.token)
    info = api.model_info(repo)
    assert (info.card_data.license, info.card_data.tags) == ("mit", ["new"])


@pytest.mark.parametrize("readme", [card("a: &a [*a]"), card('tags: ["\\ud800"]'), "\udcff", card("license: 1")])
def test_an_odd_card_does_not_hide_the_repository(api, http, repo, readme):
    content = readme.encode("utf-8", "surrogateescape")
    lines = [
        {"key": "header", "value": {"summary": "odd"}},
        {"key": "file", "value": {"path": "README.md", "content": content.decode("latin-1"), "encoding": "utf-8"}},
        {"key": "file", "value": {"path": "config.json", "content": '{"model_type": "\\ud800", "architectures": 3}'}},
        {"key": "file", "value": {"path": "model.safetensors", "content": "not one"}},
    ]
    assert http.post(f"/api/models/{repo}/commit/main", content="\n".join(map(json.dumps, lines))).is_success
    assert api.model_info(repo).id == repo
    assert repo in [model.id for model in api.list_models(full=True, cardData=True, fetch_config=True)]


UNLISTED = [
    ("license: my-licence", '"license" with value "my-licence" is not valid'),
    ("language: [en, english]", '"language[1]" with value "english" is not valid'),
    ("widget: {text: a}", '"widget" must be an array'),
    (
        "model-index: [{name: m, results: [{task: {type: t}, dataset: {type: a b, name: n}, metrics: []}]}]",
        '"model-index[0].results[0].dataset.type" with value "a b" fails to match the required pattern',
    ),
]


@pytest.mark.parametrize(("metadata", "message"), UNLISTED, ids=[message for _, message in UNLISTED])
def test_what_no_list_of_the_hub_has_is_refused(metadata, message):
    errors, _ = cards.check(card(metadata), "model")
    assert any(message in error for error in errors), errors


def test_the_lists_of_tags_and_metrics_are_served(api, http):
    tags = api.get_model_tags()
    assert {"pipeline_tag", "library", "language", "license"} == tags.keys()
    assert {"id": "license:mit", "label": "mit", "type": "license"} in tags["license"]
    assert {"id": "no", "label": "Norwegian", "type": "language"} in tags["language"]
    assert http.get("/api/models-tags-by-type?type=library").json().keys() == {"library"}
    assert http.get("/api/models-tags-by-type?type=odd").status_code == 400
    assert "accuracy" in [metric["id"] for metric in http.get("/api/metrics").json()]
