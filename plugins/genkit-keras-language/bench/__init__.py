"""GenKit's ``gpt`` measured beside nanoGPT, whose folder is given: ``python -m bench``."""
