"""Language: tokenizers, text as data, and a small GPT."""
