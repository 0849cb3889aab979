"""Reviewers for tests: one refuses bright images, one fails."""

import genkit

BRIGHT = 5.0


class Dim(genkit.Reviewer):
    """Refuses an image whose mean is above ``BRIGHT``."""

    def review(self, items):
        return ["bright" if item.mean() > BRIGHT else "" for item in items]


class Raises(genkit.Reviewer):
    """Fails."""

    def review(self, items):
        raise RuntimeError("boom")


class Plugin:
    """Has one of them."""

    def __init__(self, reviewer):
        self.reviewer = reviewer

    @genkit.hookimpl
    def genkit_reviewers(self):
        yield genkit.ReviewerSpec(
            name=self.reviewer.lower(),
            summary="Reviews images",
            reviewer=f"{__name__}:{self.reviewer}",
            modality="image",
        )
