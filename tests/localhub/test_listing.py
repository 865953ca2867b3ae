"""Searching among repositories."""

import pytest
from huggingface_hub.errors import BadRequestError

CARDS = {
    "alpha": "---\nlicense: mit\nlanguage: en\npipeline_tag: text-generation\ntags: [demo]\n---\n",
    "beta": "---\nlicense: apache-2.0\nlanguage: [en, fr]\nlibrary_name: peft\ndatasets: [imdb]\n---\n",
    "gamma": "---\npretty_name: Gamma\n---\n",
}


@pytest.fixture(scope="module")
def shelf(hub):
    api = hub.api()
    for name, card in CARDS.items():
        api.create_repo(f"ada/shelf-{name}")
        api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=f"ada/shelf-{name}")
    yield api
    for name in CARDS:
        api.delete_repo(f"ada/shelf-{name}")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, {"alpha", "beta", "gamma"}),
        ({"filter": "en"}, {"alpha", "beta"}),
        ({"filter": ["en", "fr"]}, {"beta"}),
        ({"filter": "license:mit"}, {"alpha"}),
        ({"filter": "peft"}, {"beta"}),
        ({"pipeline_tag": "text-generation"}, {"alpha"}),
        ({"trained_dataset": "imdb"}, {"beta"}),
        ({"num_parameters": "min:1M"}, set()),
        ({"gated": True}, set()),
        ({"gated": False, "filter": "demo"}, {"alpha"}),
    ],
)
def test_filters_narrow_the_list(shelf, options, found):
    options = {"filter": f"dataset:{options['trained_dataset']}"} if "trained_dataset" in options else options
    names = {model.id for model in shelf.list_models(author="ada", search="SHELF", **options)}
    assert names == {f"ada/shelf-{name}" for name in found}


def test_search_looks_for_every_word_in_the_id(shelf):
    assert [model.id for model in shelf.list_models(search="ada shelf-al")] == ["ada/shelf-alpha"]
    assert not list(shelf.list_models(search="shelf-alpha zzz"))


def test_pages_follow_one_another_until_the_end(shelf, http):
    first = http.get("/api/models", params={"search": "shelf", "limit": 2, "sort": "createdAt"})
    assert [item["id"] for item in first.json()] == ["ada/shelf-gamma", "ada/shelf-beta"]
    second = http.get(first.links["next"]["url"])
    assert [item["id"] for item in second.json()] == ["ada/shelf-alpha"]
    assert "next" not in second.links
    assert len(list(shelf.list_models(search="shelf", limit=2))) == 2


def test_a_list_holds_what_was_asked_for(shelf):
    brief = next(shelf.list_models(search="shelf-alpha"))
    assert (brief.siblings, brief.card_data) == (None, None)
    full = next(shelf.list_models(search="shelf-alpha", full=True, cardData=True))
    assert full.card_data.license == "mit"
    assert "README.md" in [file.rfilename for file in full.siblings]
    expanded = next(shelf.list_models(search="shelf-alpha", expand=["lastModified"]))
    assert expanded.last_modified
    assert expanded.tags is None


@pytest.mark.parametrize("sort", ["created_at", "last_modified", "downloads", "likes", "trending_score"])
def test_every_sort_order_of_the_client_is_known(shelf, sort):
    assert len(list(shelf.list_models(search="shelf", sort=sort))) == 3


def test_data_sets_carry_the_prefixed_tags_of_the_hub(hub):
    (found,) = hub.api(None).list_datasets(filter=["language:en", "license:mit"], author="starter")
    assert found.id == "starter/reviews"
    assert "format:csv" in found.tags


def test_an_unknown_order_or_size_is_refused_in_words(http, shelf):
    assert http.get("/api/models", params={"sort": "beauty"}).status_code == 400
    assert "min:1B" in http.get("/api/models", params={"num_parameters": "lots"}).json()["error"]
    with pytest.raises(BadRequestError):
        list(shelf.list_models(num_parameters="min:x"))
