"""GenKit's own checks of all that the plugin brings."""

from genkit.testing import parametrize_with_checks


@parametrize_with_checks("genkit-keras-myplugin")
def test_conformance(check):
    """The check holds."""
    check()
