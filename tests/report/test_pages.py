"""What a browser makes of the pages: read, seen, on a desk and on a phone, light and dark."""

import json

import pytest

from genkit.report.page import write_report
from tests.browser import DESK, PHONE

pytestmark = pytest.mark.slow

HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'
CONTRASTS = """
() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const luminance = colour => {
    const [r, g, b] = colour.slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || node.closest("title, style, clipPath")) continue;
    const style = getComputedStyle(node);
    const ink = parse(node.closest("svg") ? style.fill : style.color);
    const pair = [luminance(ink), luminance(ground(node))].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    found.push([contrast, node.tagName, node.textContent.slice(0, 40)]);
  }
  return found;
}
"""
WHOLE = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def pages(runs):
    """The full report of each run, and one that compares two, beside the runs."""
    written = {name: write_report([runs / name], runs / f"{name}.html") for name in ("vae", "cgan")}
    both = write_report([runs / "vae", runs / "gan"], runs / "both.html")
    # What the run got as it ended is a page too.
    light = {"attached": runs / "gan" / "report.html"}
    return {name: each.path for name, each in written.items()} | {"both": both.path} | light


@pytest.mark.parametrize("name", ["vae", "cgan", "both", "attached"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_loads_whole_from_its_file_and_can_be_read(opened, pages, name, scheme):
    with opened(pages[name], DESK, scheme) as page:
        assert page.complaints == []
        assert all(url.startswith(("file:", "data:")) for url in page.requests), page.requests
        assert len([url for url in page.requests if url.startswith("file:")]) == 1
        sizes = page.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth, i.alt])")
        assert sizes
        assert all(complete and width > 0 and alt for complete, width, alt in sizes)
        contrasts = page.evaluate(CONTRASTS)
        assert len(contrasts) > 30
        assert min(contrasts)[0] >= 4.5, min(contrasts)


@pytest.mark.parametrize("name", ["vae", "cgan", "both", "attached"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_is_as_wide_as_its_window_and_needs_nothing_else(opened, pages, name, size):
    with opened(pages[name], size) as page:
        assert page.evaluate(WHOLE) <= size[0]
        assert page.complaints == []
        assert len([url for url in page.requests if url.startswith("file:")]) == 1


def test_light_and_dark_differ_and_curves_take_the_colour_of_the_text(opened, pages):
    seen = {}
    for scheme in ("light", "dark"):
        with opened(pages["vae"], DESK, scheme) as page:
            seen[scheme] = page.evaluate(
                "['body', '.plot text', '.plot path[style*=curve]'].map(q => "
                "{const s = getComputedStyle(document.querySelector(q)); "
                "return [s.backgroundColor, s.color, s.fill, s.stroke].join(' ')})"
            )
    assert all(a != b for a, b in zip(seen["light"], seen["dark"], strict=True))


def test_each_report_has_the_sections_its_model_can_fill(opened, pages):
    headings = {}
    for name in ("vae", "cgan", "attached"):
        with opened(pages[name]) as page:
            headings[name] = page.locator("h2").all_inner_texts()
            for link in page.locator("nav a").all():
                assert page.locator(link.get_attribute("href")).count() == 1
    always = ["Summary", "Curves", "Sample evolution", "Metrics", "Plan", "Environment"]
    for found in headings.values():
        assert {*always, "Reproduce"} <= set(found)
    latent = {"Reconstruction pairs", "Interpolation"}
    assert latent <= set(headings["vae"])
    assert not latent & set(headings["cgan"])
    assert "By class" in headings["cgan"]
    assert "By class" not in headings["vae"]
    for name in ("vae", "cgan"):
        assert {"Real against generated", "Nearest training items"} <= set(headings[name])
        assert pages[name].stat().st_size < 2_000_000
    assert not {"Real against generated", "Nearest training items"} & set(headings["attached"])


def test_names_settings_and_classes_of_strangers_are_text(opened, copied):
    run = copied("cgan", "<i>run")
    environment = json.loads((run / "environment.json").read_text())
    environment["data"]["schema"]["label"]["classes"][0] = HOSTILE
    environment["platform"] = HOSTILE
    environment["data"]["fingerprint"] = "x" * 500
    (run / "environment.json").write_text(json.dumps(environment))
    plan = json.loads((run / "plan.json").read_text())
    plan["callbacks"] = {HOSTILE: {"$x_{": HOSTILE}}
    (run / "plan.json").write_text(json.dumps(plan))
    with (run / "metrics.jsonl").open("a") as log:
        log.write(json.dumps({"step": 61, HOSTILE: 1.0, "$\\frac{": 2.0}) + "\n")
    card = {HOSTILE: HOSTILE}
    figure = {"name": HOSTILE, "value": 1, "low": 0, "high": 2, "direction": HOSTILE, "card": card}
    (run / "evaluation.json").write_text(json.dumps({"metrics": [figure]}))
    written = write_report([run], run / "report.html")
    with opened(written.path, PHONE) as page:
        assert page.complaints == []
        assert page.title() == "<i>run · GenKit report"
        assert page.locator("h1").inner_text() == "<i>run"
        assert page.locator("script, main i, img:not([src^='data:'])").count() == 0
        shown = page.locator("#by-class").inner_text()
        assert HOSTILE in shown
        assert HOSTILE in page.locator("#metrics").inner_text()
        assert page.evaluate(WHOLE) <= PHONE[0]
