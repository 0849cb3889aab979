"""``genkit doctor``: is everything in order here?"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from genkit.cli.devices import accelerators, held_back
from genkit.cli.output import JsonFlag, emit, say
from genkit.plan.activation import BACKENDS, backend_version, installed_backends
from genkit.plan.precision import settle
from genkit.plugins.entry_points import own_version
from genkit.plugins.registry import installed

_PROBE = """
import json, sys
from genkit.plan import activation
activation.start_lean()
activation.activate(sys.argv[1])
from genkit.engine import device
print(json.dumps(device()))
"""


def doctor(as_json: JsonFlag = False) -> int:
    """Check backends, versions, devices and plugins; show what is wrong.

    Each backend is tried in a process of its own, which takes some seconds. An accelerator that is
    here and not used is told, with what would use it.

    Examples:
      genkit doctor
    """
    registry = installed()
    result: dict[str, Any] = {
        "genkit": own_version(),
        "python": platform.python_version(),
        "keras": version("keras"),
        "cpus": os.cpu_count(),
        "accelerators": accelerators(),
        "backends": [_backend(name) for name in BACKENDS],
        "plugins": [vars(plugin) for plugin in registry.plugins],
        "broken": [vars(fault) for fault in registry.broken],
        "problems": [],
    }
    result["problems"] = _problems(result)
    emit(result, as_json, lambda: _show(result))
    return 0


def _backend(name: str) -> dict[str, Any]:
    if name not in installed_backends():
        return {"name": name, "version": None}
    probe = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", _PROBE, name], capture_output=True, text=True, check=False
    )
    found: dict[str, Any] = {"name": name, "version": backend_version(name)}
    if probe.returncode:
        found["error"] = (probe.stderr.strip().splitlines() or ["it died"])[-1]
    else:
        found.update(json.loads(probe.stdout.strip().splitlines()[-1]))
        found["auto_precision"] = settle("auto", name, found)
    return found


def _problems(result: dict[str, Any]) -> list[str]:
    problems = []
    if not any(b["version"] for b in result["backends"]):
        problems.append("No backend is installed. Try: pip install 'genkit-keras[jax]'")
    problems += [
        f"The backend {b['name']} can't be used: {b['error']}"
        for b in result["backends"]
        if "error" in b
    ]
    try:
        other = version("genkit")
    except PackageNotFoundError:
        pass
    else:
        problems.append(
            f"The distribution 'genkit' {other} is installed too: another project, with the same "
            "import name. The two can't share an environment: pip uninstall genkit, then "
            "reinstall genkit-keras."
        )
    problems += held_back(result["accelerators"], result["backends"], os.environ)
    problems += [
        f"The plugin {b['plugin']} ({b['distribution']}) failed at {b['stage']}: {b['error']}"
        for b in result["broken"]
    ]
    return problems


def _show(result: dict[str, Any]) -> None:
    say(f"genkit {result['genkit']}, Python {result['python']}, Keras {result['keras']}")
    devices = ", ".join([f"{result['cpus']} CPUs", *result["accelerators"]])
    say(f"\nBackends ({devices})")
    for b in result["backends"]:
        if b["version"] is None:
            say(f"  {b['name']}: not installed; it comes with genkit-keras[{b['name']}]")
        elif "error" in b:
            say(f"  {b['name']} {b['version']}: broken")
        else:
            say(
                f"  {b['name']} {b['version']}: {b['device']}, {b['threads']} threads; "
                f"--precision auto is {b['auto_precision']}"
            )
    say("\nPlugins")
    for plugin in result["plugins"]:
        say(f"  {plugin['name']} ({plugin['distribution']} {plugin['version']})")
    for fault in result["broken"]:
        say(f"\n{fault['plugin']}, {fault['stage']}:\n{fault['traceback']}")
    say("\nProblems" if result["problems"] else "\nNo problems found.")
    for problem in result["problems"]:
        say(f"  {problem}")
