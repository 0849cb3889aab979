"""What other distributions may import."""

import subprocess
import sys

import genkit_language
import pytest


def test_each_public_name_is_there_with_a_text_of_its_own():
    for name in genkit_language.__all__:
        assert getattr(genkit_language, name).__doc__, name


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'decoder'"):
        genkit_language.decoder  # noqa: B018


def test_the_package_alone_loads_no_keras():
    code = "import sys, genkit_language; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
