"""Everything that any plugin must do, checked by GenKit's own kit."""

from genkit.testing import parametrize_with_checks


@parametrize_with_checks("genkit-keras-multimodal")
def test_conformance(check):
    check()
