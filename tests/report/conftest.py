"""One browser for all tests of pages, and a few small runs."""

import os
import shutil
from contextlib import contextmanager

import pytest

import genkit
from tests.compiling import compiled_fast

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = (360, 780), (1200, 900)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, headless; CI installs it, and there its absence is an error."""
    found = shutil.which("chromium")
    if found is None:
        assert not os.environ.get("GENKIT_CI"), "CI must look at pages in chromium"
        pytest.skip("needs chromium: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Open a file as a double click does; say afterwards what it asked for and complained of."""

    @contextmanager
    def open_page(path, size=DESK, scheme="light"):
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.resolve().as_uri())
        yield page
        page.close()

    return open_page


@pytest.fixture(scope="session")
def runs(tmp_path_factory, active_backend):
    """Three runs of few steps: ``vae``, ``cgan``, ``gan``; tests write into copies."""
    folder = tmp_path_factory.mktemp("runs")
    small = {"dataset": "digits", "batch_size": 100, "steps": 60, "sample_every": 20}
    configs = {
        "vae": {"width": 4, "latent_dim": 4, "hidden": 16},
        "cgan": {"width": 4},
        "gan": {"hidden": 16},
    }
    with compiled_fast(active_backend):
        for model, config in configs.items():
            genkit.train(
                model, config=config, runs_dir=folder, name=model, verbose=False, seed=3, **small
            )
    return folder


@pytest.fixture
def copied(runs, tmp_path):
    """Copy a run under a name of one's own."""

    def copy(model, name=None):
        return shutil.copytree(runs / model, tmp_path / (name or model))

    return copy
