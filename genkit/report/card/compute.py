"""What a training took: time, machines, and an estimate of energy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genkit.report.card.facts import Facts
from genkit.report.card.markdown import fact_table, plain

WATTS_A_THREAD = (2.0, 15.0)
"""Electrical power of one busy thread: from a server's processor to a desktop's at full boost."""
WATTS_AN_ACCELERATOR = (75.0, 700.0)
"""From what a slot alone can feed to the largest boards of data centres."""


def compute(facts: Facts) -> str:
    """Return the section on what the training took."""
    seconds, step = float(facts.last["seconds"]), facts.last["step"]
    machines = list(_machines(facts.environment))
    low, high = _energy(seconds, facts.environment)
    rows = {
        "training time": f"{seconds:.0f} s, summed over all sittings",
        "steps": f"{step} of batch size {facts.plan.batch_size}",
        "machine": plain(machines[0]),
        **{f"later sitting {n}": plain(m) for n, m in enumerate(machines[1:], 1)},
        "energy, estimated": f"{low:.2g} to {high:.2g} Wh",
    }
    per_thread, accelerator = (
        f"{low:.0f} to {high:.0f} W" for low, high in (WATTS_A_THREAD, WATTS_AN_ACCELERATOR)
    )
    return f"""{fact_table(rows)}

The energy was not measured. It is training time x power, with an assumed power of {per_thread}
for each thread of a processor, all of them busy, or {accelerator} for an accelerator and nothing
for its host. Cooling, idle parts, trials before this run and evaluation are not in it."""


def _devices(environment: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Return the device and its threads of each sitting that differed from the one before."""
    for sitting in (environment, *environment.get("later", ())):
        device = sitting.get("device", {})
        yield device, int(device.get("threads") or sitting.get("cpus") or 1)


def _machines(environment: Mapping[str, Any]) -> Iterator[str]:
    sittings = (environment, *environment.get("later", ()))
    for sitting, (device, threads) in zip(sittings, _devices(environment), strict=True):
        kind, name = device.get("platform", "?"), device.get("device", "?")
        what = sitting.get("processor") or name if kind == "cpu" else f"{name} ({kind})"
        yield f"{what}, {threads} threads, {sitting.get('platform', '?')}"


def _energy(seconds: float, environment: Mapping[str, Any]) -> tuple[float, float]:
    """Estimate between which energies, in watt-hours, the training lies."""
    ranges = [
        tuple(threads * watts for watts in WATTS_A_THREAD)
        if device.get("platform", "cpu") == "cpu"
        else WATTS_AN_ACCELERATOR
        for device, threads in _devices(environment)
    ]
    least, most = min(low for low, _ in ranges), max(high for _, high in ranges)
    return seconds * least / 3600, seconds * most / 3600
