"""The report of a machine, and ``docs/accelerators.md``: written by the command, never by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.accelerator.judgement import BANDS

INTRODUCTION = """\
# On a GPU, measured

<!-- This page is written by: python -m tests.accelerator --keep FOLDER -->

What `python -m tests.accelerator --out FOLDER` has found, machine by machine. It takes at most
eight minutes, needs no network, and uses the backends that are installed. The same models are
trained from the same seed on the device and on the processor beside it, and their losses compared;
a run is killed and resumed; steps are timed beside hand-written ones.
"""
NOBODY = """\
**No GPU was at hand yet.** The script was tried on processors, in its small form, which says
that it runs and nothing about a GPU. What the code does there: [Train on a GPU](how-to/gpus.md).
"""


def render(reports: Sequence[dict[str, Any]]) -> str:
    """Return the page of all machines that were measured."""
    bodies = [report(each) for each in reports] or [NOBODY]
    return "\n".join([INTRODUCTION, *bodies]).rstrip() + "\n"


def report(found: dict[str, Any]) -> str:
    """Return one machine's report as Markdown."""
    lines = [f"## {found['machine']}", "", f"{found['date']}, {found['minutes']} minutes."]
    if found["small"]:
        lines[-1] += " The small form: few steps, nothing timed in pairs."
    for backend, parts in found["backends"].items():
        lines += ["", f"### {backend}", ""]
        for part, of_part in parts.items():
            lines += _SECTIONS[part](of_part) if "missing" not in of_part else []
            if "missing" in of_part:
                lines.append(f"{part.capitalize()}: nothing, {of_part['missing']}.")
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def failed(found: dict[str, Any]) -> bool:
    """Whether losses disagree or a part found nothing; bits that differ are told, no failure."""
    parts = [part for backend in found["backends"].values() for part in backend.values()]
    judged = [model for part in parts for model in part.get("models", {}).values()]
    return any("missing" in part for part in parts) or not all(
        model.get("agrees", True) for model in judged
    )


def in_short(part: str, found: dict[str, Any]) -> str:
    """Return what a part found, in a few words."""
    if "missing" in found:
        return f"nothing, {found['missing']}"
    if part == "agreement":
        apart = [name for name, each in found["models"].items() if not each["agrees"]]
        return f"apart: {', '.join(apart)}" if apart else "all models agree with the CPU"
    if part == "bits":
        return f"repeats {found['repeats']}, resumes {found['resumes']}"
    if part == "generation":
        return f"{found['per_second']:,.0f} images a second"
    if part == "speed":
        return ", ".join(
            f"{row['case']} {row['precision']} {row['ratio']}" for row in found["rows"]
        )
    return f"{len(found['models'])} models on {found['device']['device']}"


def _training(found: dict[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {each['first_step_s']} | {each['step_ms']} | {each['memory_mb'] or '-'} |"
        for name, each in found["models"].items()
    ]
    return [
        f"On {found['device']['device']} ({found['device']['platform']}):",
        "",
        "| model | first step, s | a step, ms | memory of the device so far, MiB |",
        "| --- | ---: | ---: | ---: |",
        *rows,
    ]


def _agreement(found: dict[str, Any]) -> list[str]:
    bands = ", ".join(f"{band:g} up to step {step}" for step, band in BANDS.items())
    rows = [
        f"| {name} | {' | '.join(f'{value:.1e}' for value in each['first'].values())} | "
        f"{each['all']:.1e} | {'yes' if each['agrees'] else '**no**'} |"
        for name, each in found["models"].items()
    ]
    return [
        f"Losses against the processor's, relative above 1 (bands: {bands}):",
        "",
        f"| model | {' | '.join(f'step {step}' for step in BANDS)} | all steps | agrees |",
        f"| --- | {'---: | ' * len(BANDS)}---: | --- |",
        *rows,
    ]


def _bits(found: dict[str, Any]) -> list[str]:
    words = {True: "the same bits", False: "other bits"}
    repeats, resumes = words[found["repeats"]], words[found["resumes"]]
    return [f"`dcgan` twice from one seed: {repeats}; killed half way and resumed: {resumes}."]


def _generation(found: dict[str, Any]) -> list[str]:
    made, rate = f"{found['images']:,}", f"{found['per_second']:,.0f}"
    return [f"`dcgan` generates {rate} images a second ({made} of 28x28)."]


def _speed(found: dict[str, Any]) -> list[str]:
    rows = [
        f"| {row['case']} | {row['precision']} | {row['native_variant']} | {row['genkit_ms']} | "
        f"{row['native_ms']} | {row['ratio']} [{row['ratio_low']}, {row['ratio_high']}] |"
        for row in found["rows"]
    ]
    return [
        "A step of GenKit beside another, in pairs, medians and the ratio's 95 % interval:",
        "",
        "| case | precision | beside | GenKit, ms | the other, ms | ratio |",
        "| --- | --- | --- | ---: | ---: | --- |",
        *rows,
    ]


_SECTIONS = {
    "training": _training,
    "agreement": _agreement,
    "bits": _bits,
    "generation": _generation,
    "speed": _speed,
}
