"""Model cards: the document, what is wrong with it, and a draft from what was recorded."""

from components.service.cards.checks import REPO_PLACEHOLDER
from components.service.cards.document import body, metadata
from components.service.cards.draft import with_repo
from components.service.cards.service import Cards

__all__ = ["REPO_PLACEHOLDER", "Cards", "body", "metadata", "with_repo"]
