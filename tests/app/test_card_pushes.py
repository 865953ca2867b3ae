"""A card on the embedded Hub that two people change: a push names its changes; a moved one is merged."""

from __future__ import annotations

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

CARD = "---\r\nlicense: mit # asked\r\nlanguage: en\r\n---\r\n\r\n# Films\r\n\r\n## Usage\r\n\r\nRun it.\r\n"


def test_a_push_names_its_changes_and_a_moved_card_is_merged(client: Client) -> None:
    repo = client.predict("card-pushes", api_name="/create_repo")["repo"]

    def push(text: str, parent: str) -> str:
        return str(client.predict(repo, text, "", parent, api_name="/push_card")["commit"])

    def titles() -> list[str]:
        return [one["title"] for one in client.predict(repo, api_name="/list_commits")]

    first = push(CARD, "")
    assert titles()[0] == "Add a model card"
    assert client.predict(repo, api_name="/repo_card")["text"] == CARD, "with its own line breaks"
    theirs = client.predict(CARD, [{"field": "language", "value": ["en", "de"]}], api_name="/edit_card")["text"]
    mine = client.predict(CARD, [{"field": "license", "value": "other"}], api_name="/edit_card")["text"]
    newest = push(theirs, first)
    assert titles()[0] == "Update the model card: language"
    with pytest.raises(AppError, match="changed"):
        push(mine, first)
    told = client.predict(repo, mine, first, api_name="/rebase_card")
    assert (told["conflicts"], told["commit"], told["theirs"]) == ([], newest, theirs)
    assert told["text"] == theirs.replace("license: mit # asked", "license: other # asked")
    push(told["text"], told["commit"])
    assert titles()[0] == "Update the model card: license"


@pytest.mark.parametrize("private", [True, False])
def test_a_card_alone_creates_its_repository_only_where_that_is_asked_for(client: Client, private: bool) -> None:
    repo = f"me/card-alone-{private}".lower()
    with pytest.raises(AppError, match="has no me/card-alone"):
        client.predict(repo, CARD, api_name="/push_card")
    with pytest.raises(AppError, match="has no me/card-alone"):
        client.predict(repo, CARD, "", "", True, True, private, api_name="/push_card")
    done = client.predict(repo, CARD, "", "", False, True, private, api_name="/push_card")
    assert (done["repo"], done["private"], done["changed"]) == (repo, private, True)
    again = client.predict(repo, CARD.replace("mit", "other"), "", "", False, True, not private, api_name="/push_card")
    assert again["private"] is private, "a repository that exists keeps its visibility"
