"""Inside a tokenizer: what the tokenizer inspector asks the worker."""
