"""A folder with a hundred installed toy plugins, five of them broken in five ways."""

from __future__ import annotations

from pathlib import Path

PLUGINS = 100
BROKEN = {
    7: "import no_such_module\n",
    23: "def broken(:\n",
    42: "import genkit\n@genkit.hookimpl\ndef genkit_models():\n    raise RuntimeError('boom')\n",
    64: "import genkit\n@genkit.hookimpl\ndef genkit_models():\n    return ['no record']\n",
    99: "import genkit\n@genkit.hookimpl\ndef genkit_dreams():\n    return []\n",
}
_GOOD = """
import genkit

@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(name="toy-{number}", summary="Toy {number}", model="a:M", config="a:C",
                           accepts=("image",))
"""


def install(site: Path) -> None:
    """Write the modules and the metadata of the plugins, as an installer would.

    Args:
        site: a folder that is put on the path.
    """
    for number in range(PLUGINS):
        name = f"genkit_toy_{number:03d}"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(BROKEN.get(number, _GOOD.format(number=number)))
        distribution = f"genkit-keras-toy-{number:03d}"
        about = ["Metadata-Version: 2.1", f"Name: {distribution}", "Version: 1.0"]
        (info / "METADATA").write_text("\n".join([*about, "Requires-Dist: genkit-keras>=0.1", ""]))
        (info / "entry_points.txt").write_text(f"[genkit.plugins]\ntoy-{number:03d} = {name}\n")
