"""``python -m genkit``: the command line."""

from genkit.cli import main

if __name__ == "__main__":
    main()
