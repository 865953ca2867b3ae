"""What the tokenizer inspector draws: tokens, stages, offsets, batches, chats, vocabularies and comparisons."""
