"""Every check of the project, each in an environment of its own: ``nox -s NAME``."""

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "typing", "docs", "tests"]
nox.options.default_venv_backend = "venv"

# Most of a test's time is one thread's, importing and compiling: two processes halve it. PyTorch
# has one thread in each: threads that wait for each other on busy cores may take 40 times as long.
TWO_PROCESSES = ("-n", "2", "--dist", "loadfile")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
CONSTRAINTS = ("-c", "constraints.txt")
TEST_TOOLS = ("pytest>=8.3", "pytest-xdist>=3.6", "hypothesis>=6.130")
# The session of all tests also reads what GenKit writes for others, looks at its pages in a
# browser, and asks others for figures.
READERS = ("pyyaml>=6", "huggingface-hub>=1", "prdc>=0.2", "playwright>=1.50")
RUFF = "ruff>=0.17,<0.18"
DOCS_TOOLS = ("sphinx>=8.2", "myst-parser>=4", "furo>=2025.7", "sphinx-copybutton>=0.5")
# What differs between backends; the rest runs once.
BACKEND_TESTS = (
    "tests/benchmarks",
    "tests/engine",
    "tests/layers",
    "tests/models",
    "tests/old_files",
    "tests/training",
    "tests/testing",
    "tests/torture",
    "tests/cli",
)


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow", "all"])
def tests(session: nox.Session, backend: str) -> None:
    """Test on one backend with only that one installed; "all" compares the three."""
    extras = f"{backend},tensorboard" + (",mlflow" if backend == "jax" else "")
    # torchmetrics brings torch: the independent FID, KID and inception score are asked there.
    more = {"jax": (*READERS, RUFF), "all": ("torchmetrics>=1.9",)}
    session.install("-e", f".[{extras}]", *TEST_TOOLS, *more.get(backend, ()), *CONSTRAINTS)
    env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": "."}
    if backend == "all":
        # One process, with the threads a user has: PyTorch's batch normalisation adds up in one
        # part a thread, and the fewer there are, the further it is from the other backends.
        env["KERAS_BACKEND"] = "jax"
        session.run("pytest", "-q", "-m", "cross_backend", "tests", *session.posargs, env=env)
        return
    where = ["tests"] if backend == "jax" else BACKEND_TESTS
    session.run(
        "pytest", "-q", *TWO_PROCESSES, "-m", "not cross_backend", *where, *session.posargs,
        env={**env, **ONE_THREAD},
    )  # fmt: skip


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow"])
def plugins(session: nox.Session, backend: str) -> None:
    """Test each plugin of this repository beside GenKit alone, on each backend."""
    for folder in sorted(path.parent for path in Path("plugins").glob("*/pyproject.toml")):
        test = f"{folder}[test]"
        session.install("-e", f".[{backend}]", "-e", test, "pytest-xdist>=3.6", *CONSTRAINTS)
        with session.chdir(folder):
            env = {**os.environ, "KERAS_BACKEND": backend, **ONE_THREAD}
            session.run("pytest", "-q", *TWO_PROCESSES, *session.posargs, env=env)
        session.run("pip", "uninstall", "--quiet", "--yes", folder.name)


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow"])
def scaffold(session: nox.Session, backend: str) -> None:
    """Make a plugin of each kind, install it beside GenKit in a clean environment, and test it."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, RUFF, *CONSTRAINTS)
    env = {"KERAS_BACKEND": backend, "PYTHONPATH": "."}
    session.run("pytest", "-q", "tests/scaffold", *session.posargs, env={**os.environ, **env})


@nox.session
def lint(session: nox.Session) -> None:
    """Check form and style."""
    session.install(RUFF)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types, strictly."""
    session.install("mypy>=2.4,<3", "-e", ".", *TEST_TOOLS, *CONSTRAINTS)
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("-e", ".", *DOCS_TOOLS, *CONSTRAINTS)
    session.run("python", "docs/generate_reference.py", "--check")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "site")


@nox.session
def torture(session: nox.Session) -> None:
    """Kill training thousands of times and fuzz every reader; goes on where it was interrupted."""
    session.install("-e", ".[all]", *TEST_TOOLS, *CONSTRAINTS)
    env = {**os.environ, "PYTHONPATH": "."}
    for backend in ("torch", "jax", "tensorflow"):
        session.run(
            "python", "-m", "tests.torture", "--backend", backend, *session.posargs, env=env
        )
    env |= {"KERAS_BACKEND": "torch", "GENKIT_FUZZ_EXAMPLES": "20000"}
    session.run("pytest", "-q", "tests/fuzz", env=env)


@nox.session
def audit(session: nox.Session) -> None:
    """Look the pinned dependencies up in the databases of known vulnerabilities."""
    session.install("pip-audit>=2.9", "-e", ".[all]", *CONSTRAINTS)
    session.run("pip-audit", "--skip-editable", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure against hand-written steps and write docs/benchmarks.md; wants a quiet machine."""
    session.install("-e", ".[all]", *CONSTRAINTS)
    bench = ("python", "-m", "tests.benchmarks", "--write")
    against = ("--against", "native,stock,backends,float32")
    session.run(*bench, "--precision", "float32,bfloat16", *against, *session.posargs)
    session.run(*bench, "--others")


@nox.session
def compare(session: nox.Session) -> None:
    """Compare the backends: nox -s compare -- dcgan; goes on where it was interrupted."""
    session.install("-e", ".[all]", *CONSTRAINTS)
    session.run("genkit", "compare", *session.posargs)


@nox.session
def zoo(session: nox.Session) -> None:
    """Train every model by its default preset and write docs/zoo.md; goes on where it was."""
    session.install("-e", ".[torch]", *CONSTRAINTS)
    session.run("python", "-m", "tests.zoo", "--write", *session.posargs)


@nox.session(name="recsys-bench")
def recsys_bench(session: nox.Session) -> None:
    """Tune and measure the recommenders and write docs/recommenders.md; goes on where it was."""
    folder = Path("plugins/genkit-keras-recsys")
    session.install("-e", ".[jax]", "-e", f"{folder}[test]", *CONSTRAINTS)
    with session.chdir(folder):
        session.run("python", "-m", "bench", "--write", *session.posargs)
        session.run("python", "-m", "bench.memory", "100000", "50000")
        session.run("python", "-m", "bench.reading", "10000000")
        session.run("python", "-m", "bench.approximate", "1000000")


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow"])
def models(session: nox.Session, backend: str) -> None:
    """Train every built-in model for 200 steps on each backend."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, *CONSTRAINTS)
    env = {"KERAS_BACKEND": backend, "PYTHONPATH": ".", "GENKIT_ALL_MODELS": "1"}
    session.run("pytest", "-q", "tests/models", *session.posargs, env={**os.environ, **env})


@nox.session
@nox.parametrize("backend", ["jax", "torch", "tensorflow", "all"])
def conformance(session: nox.Session, backend: str) -> None:
    """Make every check of the conformance kit on every built-in; "all" compares the backends."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, *CONSTRAINTS)
    env = {"KERAS_BACKEND": "jax" if backend == "all" else backend, "PYTHONPATH": "."}
    env |= {"GENKIT_CONFORMANCE": "1"}
    where = ["-m", "cross_backend" if backend == "all" else "not cross_backend"]
    where += ["tests/testing/test_builtins.py"]
    session.run("pytest", "-q", *where, *session.posargs, env={**os.environ, **env})
