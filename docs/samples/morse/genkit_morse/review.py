"""What must not be written: asked before `genkit generate` writes anything."""

import genkit
from genkit_morse.reading import read


class NoFalseAlarm(genkit.Reviewer):
    """Refuses calls for help: a machine must not send them."""

    def review(self, items):
        return ["calls for help" if read(item) == "... --- ..." else "" for item in items]
