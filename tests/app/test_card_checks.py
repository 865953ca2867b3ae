"""Checks and lists of cards, as endpoints of the running app."""

from __future__ import annotations

from gradio_client import Client

CARD = "---\nlicence: mit\n---\n# Films\n\n[the curve](loss.png)\n"


def test_a_card_is_mended_by_the_remedies_that_the_check_gives(client: Client) -> None:
    found = client.predict(CARD, ["README.md"], api_name="/check_card")["problems"]
    told = [one for one in found if one["field"] == "licence" or "loss.png" in one["message"]]
    assert len(told) == 2
    for finding in told:
        text = client.predict(CARD, finding["remedy"], api_name="/edit_card")["text"]
        messages = [one["message"] for one in client.predict(text, ["README.md"], api_name="/check_card")["problems"]]
        assert finding["message"] not in messages


def test_the_hub_in_use_is_asked_of_a_card_and_for_its_lists(client: Client) -> None:
    said = client.predict("---\ntags: one\n---\n# Films\n", api_name="/validate_card")
    assert (said["accepted"], said["problems"][0]["field"]) == (False, "tags")
    found = client.predict("languages", "german", 3, api_name="/search_lists")
    assert found["items"][0] == {"value": "de", "name": "German"}
    assert found["source"] == "the Hub in use"
