"""Every check of the project, each in an environment of its own: ``nox -s NAME``.

docs/explanation/testing.md says what each session is for.
"""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import nox

nox.options.sessions = ["lint", "typing", "docs", "tests"]
nox.options.default_venv_backend = "uv|venv"

# Most of a test's time is one thread's, importing and compiling: two processes halve it. PyTorch
# has one thread in each: threads that wait for each other on busy cores may take 40 times as long.
# What shares models or runs stays in one process; tests/balance.py says what, and what is long.
TWO_PROCESSES = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
COMPILED_FAST = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
CONSTRAINTS = ("-c", "constraints.txt")
XDIST = "pytest-xdist>=3.8"
TEST_TOOLS = ("pytest>=8.3", XDIST, "hypothesis>=6.130")
# The session of all tests also reads what GenKit writes for others, looks at its pages in a
# browser, and asks others for figures.
READERS = ("pyyaml>=6", "huggingface-hub>=1", "prdc>=0.2", "playwright>=1.50", "pyarrow>=16")
RUFF = "ruff>=0.17,<0.18"
DOCS_TOOLS = ("sphinx>=8.2", "myst-parser>=4", "furo>=2025.7", "sphinx-copybutton>=0.5")
BACKENDS = ("jax", "torch", "tensorflow")
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
    "tests/toys",
    "tests/cli",
    "tests/workers",
)
# The files with tests that compare backends.
CROSS_BACKEND_TESTS = (
    "tests/test_parity.py",
    "tests/test_resume_elsewhere.py",
    "tests/cli/test_end_to_end.py",
    "tests/comparison/test_end_to_end.py",
    "tests/docs/test_samples.py",
    "tests/evaluation",
    "tests/testing",
    "tests/toys",
)
# Nothing is left out: also what is the same on all backends runs on each.
FULL = bool(os.environ.get("GENKIT_FULL"))
FULL_SESSIONS = (
    "lint", "typing", "docs", "tests", "plugins", "scaffold", "models", "conformance", "torture",
)  # fmt: skip
FULL_RUNS = Path("docs/explanation/full-runs.md")
PLUGIN_MINUTES = 3


def prepare_environment() -> None:
    """Let uv find packages where pip does, and let Python keep what it compiles.

    uv reads nothing of pip's configuration. It compiles nothing as it installs, which is well:
    what is imported is a third of what is installed. But it must be kept: importing Keras that was
    not compiled takes 13 s instead of 5 s, in each of some hundred processes.
    """
    names = {"find-links": "FIND_LINKS", "index-url": "DEFAULT_INDEX", "extra-index-url": "INDEX"}
    for key, name in names.items():
        command = [sys.executable, "-m", "pip", "config", "get", f"global.{key}"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        found = os.environ.get(f"PIP_{key.upper().replace('-', '_')}") or asked.stdout.strip()
        if found:
            between = "," if key == "find-links" else " "
            os.environ.setdefault(f"UV_{name}", between.join(found.split()))
    os.environ.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    os.environ.setdefault("UV_HTTP_TIMEOUT", "180")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


prepare_environment()


def variables(session: nox.Session, backend: str, **more: str) -> dict[str, str]:
    """Return the environment of tests; what JAX compiles is kept for the next session."""
    cache = session.cache_dir.resolve() / "jax"
    kept = {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return {**kept, **os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": ".", **more}


@nox.session
@nox.parametrize("backend", [*BACKENDS, "all"])
def tests(session: nox.Session, backend: str) -> None:
    """Test on one backend with only that one installed; "all" compares the three."""
    extras = f"{backend},tensorboard" + (",mlflow" if backend == "jax" or FULL else "")
    # torchmetrics brings torch: the independent FID, KID and inception score are asked there.
    more = {"jax": (*READERS, RUFF), "all": ("torchmetrics>=1.9",)}
    session.install("-e", f".[{extras}]", *TEST_TOOLS, *more.get(backend, ()), *CONSTRAINTS)
    if backend == "all":
        # With the threads a user has: PyTorch's batch normalisation adds up in one part a thread,
        # and the fewer there are, the further it is from the other backends. Those that wait
        # leave the cores to the other process.
        which = ("-m", "cross_backend" + ("" if FULL else " and not full"), *CROSS_BACKEND_TESTS)
        env = variables(session, "jax", OMP_WAIT_POLICY="passive")
        session.run("pytest", "-q", *TWO_PROCESSES, *which, *session.posargs, env=env)
        return
    everything = backend == "jax" or FULL
    which = "not cross_backend" + ("" if everything else " and not once")
    which += "" if FULL else " and not full"
    where = ["tests"] if backend == "jax" else BACKEND_TESTS
    session.run(
        "pytest", "-q", *TWO_PROCESSES, "-m", which, *where, *session.posargs,
        env=variables(session, backend, **ONE_THREAD),
    )  # fmt: skip


@nox.session
def quick(session: nox.Session) -> None:
    """Test something of every room in three minutes, on JAX or on KERAS_BACKEND."""
    backend = os.environ.get("KERAS_BACKEND") or "jax"
    session.install("-e", f".[{backend},tensorboard]", *TEST_TOOLS, *CONSTRAINTS)
    env = variables(session, backend, **ONE_THREAD, **COMPILED_FAST)
    session.run("pytest", "-q", *TWO_PROCESSES, "-m", "not slow", *session.posargs, env=env)


@nox.session
@nox.parametrize("backend", BACKENDS)
def plugins(session: nox.Session, backend: str) -> None:
    """Test each plugin of this repository in a process of its own, on each backend.

    On JAX all are installed at once; elsewhere, and in full, each is alone beside GenKit.
    """
    folders = sorted(path.parent for path in Path("plugins").glob("*/pyproject.toml"))
    together = backend == "jax" and not FULL
    base = ("-e", f".[{backend}]", XDIST, *CONSTRAINTS)
    if together:
        session.install(*base, *(f"-e{folder}[test]" for folder in folders))
    env = variables(session, backend, **ONE_THREAD, **({} if FULL else COMPILED_FAST))
    env["PYTHONPATH"] = str(Path.cwd())  # for tests.balance
    which = ("-m", "") if FULL else ()  # a plugin may have long forms, too
    shares = {}
    for folder in folders:
        alone = [*needed_by(folder), folder]
        if not together:
            session.install(*base, *(f"-e{each}" for each in alone[:-1]), f"-e{folder}[test]")
        began = time.monotonic()
        with session.chdir(folder):
            ran = session.run(
                "pytest", "-q", "-p", "tests.balance", *TWO_PROCESSES, *which, *session.posargs,
                env=env,
            )  # fmt: skip
        if ran:  # with --install-only nothing is
            shares[folder.name] = time.monotonic() - began
        for each in [] if together else alone:
            uninstall(session, each.name)
    for name, seconds in shares.items():
        over = f"  over its {PLUGIN_MINUTES} minutes" if seconds > 60 * PLUGIN_MINUTES else ""
        share = seconds / sum(shares.values())
        session.log(f"{name}: {seconds:.0f} s, {share:.0%} of the plugins{over}")


def needed_by(folder: Path) -> list[Path]:
    """Return the folders of other plugins of this repository that a plugin depends on."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[\[<>=~! ]", each, maxsplit=1)[0] for each in project["dependencies"]]
    return [folder.parent / name for name in names if (folder.parent / name).is_dir()]


def uninstall(session: nox.Session, name: str) -> None:
    """Take a distribution out of the session's environment."""
    if session.venv_backend == "uv":
        session.run("uv", "pip", "uninstall", "--quiet", name, external=True)
    else:
        session.run("pip", "uninstall", "--quiet", "--yes", name)


@nox.session(python=False)
def full(session: nox.Session) -> None:
    """Run everything on all backends, which takes hours, and keep the tally of it.

    Before a release, and when what the backends share was changed.
    """
    report = Path(session.create_tmp(), "report.json").resolve()
    command = [sys.executable, "-m", "nox", "-s", *FULL_SESSIONS, "--report", str(report)]
    began = time.monotonic()
    session.run(*command, env={**os.environ, "GENKIT_FULL": "1"}, success_codes=[0, 1])
    results = json.loads(report.read_text())["sessions"]
    well = ("success", "skipped")
    failed = [each["signatures"][0] for each in results if each["result"] not in well]
    commit = session.run("git", "describe", "--always", "--dirty", external=True, silent=True)
    minutes = (time.monotonic() - began) / 60
    outcome = f"failed: {', '.join(failed)}" if failed else "passed"
    today = datetime.now(UTC).date()
    with FULL_RUNS.open("a", encoding="utf-8") as tally:
        tally.write(f"| {today} | {commit.strip()} | {minutes:.0f} | {outcome} |\n")
    if failed:
        session.error(outcome)


@nox.session
@nox.parametrize("backend", BACKENDS)
def scaffold(session: nox.Session, backend: str) -> None:
    """Make a plugin of each kind, install it beside GenKit in a clean environment, and test it."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, RUFF, *CONSTRAINTS)
    env = variables(session, backend)
    session.run("pytest", "-q", "tests/scaffold", *session.posargs, env=env)


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
    for program in ("generate_reference", "fill_samples", "write_notebooks"):
        session.run("python", f"docs/{program}.py", "--check")
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
        session.run("python", "-m", "tests.torture.busy", "--backend", backend, env=env)
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


@nox.session
def scale(session: nox.Session) -> None:
    """Train with several workers in all ways, kill them, and compare; hours, all three backends."""
    session.install("-e", ".[all]", *TEST_TOOLS, *CONSTRAINTS)
    for backend in BACKENDS:
        env = variables(session, backend)
        session.run("pytest", "-q", "tests/workers", env=env)
        session.run("python", "-m", "tests.workers.torture", *session.posargs, env=env)
        if os.name == "posix" and os.geteuid() == 0:  # it makes network namespaces
            session.run("python", "-m", "tests.workers.network", env=env)


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


@nox.session(name="language-bench")
def language_bench(session: nox.Session) -> None:
    """Measure the language plugin and write docs/language.md: ``-- --nanogpt FOLDER``.

    FOLDER is a clone of github.com/karpathy/nanoGPT. It goes on where it was.
    """
    folder = Path("plugins/genkit-keras-language")
    session.install("-e", ".[all]", "-e", f"{folder}[test]", *CONSTRAINTS)
    with session.chdir(folder):
        session.run("python", "-m", "bench", *session.posargs)


@nox.session(name="tabular-bench")
def tabular_bench(session: nox.Session) -> None:
    """Measure models of tables on Adult beside ctgan and write docs/tables.md: ``-- FILE``.

    FILE is the census table, Parquet, UCI's test rows first. It goes on where it was.
    """
    folder = Path("plugins/genkit-keras-tabular")
    session.install("-e", ".[jax]", "-e", f"{folder}[test]", *CONSTRAINTS)
    peers = Path(session.create_tmp(), "peers").resolve()
    session.run("python", "-m", "venv", "--clear", str(peers))
    session.run(str(peers / "bin/pip"), "install", "-q", "ctgan==0.12.1", "pyarrow", external=True)
    given = [str(Path(each).resolve()) if Path(each).exists() else each for each in session.posargs]
    with session.chdir(folder):
        session.run("python", "-m", "bench", *given, "--peers", str(peers / "bin/python"))


@nox.session(name="multimodal-bench")
def multimodal_bench(session: nox.Session) -> None:
    """Train models of several modalities beside published figures and write docs/multimodal.md.

    ``-- --train jmvae mvae``; a night, and it goes on where it was.
    """
    folder = Path("plugins/genkit-keras-multimodal")
    session.install("-e", ".[jax]", "-e", f"{folder}[test]", *CONSTRAINTS)
    with session.chdir(folder):
        session.run("python", "-m", "bench", *session.posargs)


@nox.session
@nox.parametrize("backend", BACKENDS)
def models(session: nox.Session, backend: str) -> None:
    """Train every built-in model for 200 steps on each backend."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, *CONSTRAINTS)
    env = {"KERAS_BACKEND": backend, "PYTHONPATH": "."}
    session.run("pytest", "-q", "tests/models", *session.posargs, env={**os.environ, **env})


@nox.session
@nox.parametrize("backend", [*BACKENDS, "all"])
def conformance(session: nox.Session, backend: str) -> None:
    """Make every check of the conformance kit on every built-in; "all" compares the backends."""
    session.install("-e", f".[{backend}]", *TEST_TOOLS, *CONSTRAINTS)
    env = {"KERAS_BACKEND": "jax" if backend == "all" else backend, "PYTHONPATH": "."}
    env |= {"GENKIT_CONFORMANCE": "1"}
    where = ["-m", "cross_backend" if backend == "all" else "not cross_backend"]
    where += ["tests/testing/test_builtins.py"]
    session.run("pytest", "-q", *where, *session.posargs, env={**os.environ, **env})
