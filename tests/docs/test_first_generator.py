"""The tutorial of a first generator runs line by line, in a clean environment."""

import re
import shutil

import pytest

from tests.docs.documents import SAMPLES

pytestmark = pytest.mark.slow


def test_the_tutorial_ends_with_a_changed_tested_and_packed_plugin(tmp_path, clean_environment):
    shutil.copy(SAMPLES / "first_generator.diff", tmp_path)
    script = (SAMPLES / "first_generator.sh").read_text(encoding="utf-8")
    shown = clean_environment.run(
        "bash", "-ec", re.sub(r"--steps \d+", "--steps 20", script), at=tmp_path
    )
    assert "smoothing" in shown
    assert re.search(r"\d+ passed", shown)
    made = tmp_path / "genkit-keras-doodles"
    assert list(made.glob("dist/genkit_keras_doodles-*.whl"))
    runs = sorted(path.parts[-3] for path in made.glob("runs/*/model/weights.safetensors"))
    assert runs == ["first", "smooth"]
