"""The conformance kit: checks that any plugin can run on what it brings.

One list of named checks has two faces, ``genkit check NAME`` and, in a plugin's own tests:

    from genkit.testing import parametrize_with_checks

    @parametrize_with_checks("my-plugin")
    def test_conformance(check):
        check()

Importing this package imports no framework, and no pytest.
"""

from genkit.testing.check import Check
from genkit.testing.kit import checks_for, parametrize_with_checks
from genkit.testing.known import KnownAnswer
from genkit.testing.outcomes import CheckFailed, Outcome

__all__ = [
    "Check",
    "CheckFailed",
    "KnownAnswer",
    "Outcome",
    "checks_for",
    "parametrize_with_checks",
]
