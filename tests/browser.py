"""Chromium, in which tests look at pages; one for all of them."""

import os
import shutil
from contextlib import contextmanager

import pytest

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
