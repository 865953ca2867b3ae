"""The tokenizer inspector: any model's tokenizer, from text to tokens and back."""

from components.service.tokens.service import Tokens

__all__ = ["Tokens"]
