"""The checks of this plugin, each in an environment of its own: ``nox``."""

import nox

nox.options.sessions = ["lint", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Check form and style."""
    session.install("ruff>=0.17,<0.18")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow"])
def tests(session: nox.Session, backend: str) -> None:
    """Run the tests, and the checks of GenKit, on one backend."""
    session.install("-e", ".[test]", f"genkit-keras[{backend}]")
    session.run("pytest", "-q", *session.posargs, env={"KERAS_BACKEND": backend})
