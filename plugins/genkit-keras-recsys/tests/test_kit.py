"""Everything that the plugin brings passes GenKit's own checks."""

from genkit.testing import parametrize_with_checks


@parametrize_with_checks("genkit-keras-recsys")
def test_conformance(check):
    check()
