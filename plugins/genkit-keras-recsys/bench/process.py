"""Measurements in a process of their own."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def answer(command: list[str], **options: Any) -> dict[str, Any]:
    """Run a program, and give the JSON object of its last line; options as ``subprocess.run``'s."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
