"""The command that does a run again, reconstructed from its plan."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from genkit.errors import GenkitError
from genkit.plan.from_program import PROGRAM, data_is_handed_over, model_is_handed_over
from genkit.plan.plan import LENGTH, Plan, Recipe, make_plan
from genkit.plugins.registry import Registry
from genkit.plugins.specs import resolve

OWN = "genkit-keras"
# What is written in a way of its own, or not at all.
_APART = {"model", "preset", "dataset", "backend", "data", "config", "trainer_config", "callbacks"}
_FLAGS = [
    name
    for name in Recipe.model_fields
    if name in Plan.model_fields and name not in _APART and name not in LENGTH
]


def defaults(plan: Plan, registry: Registry) -> dict[str, Any]:
    """Return the settings that the plan's model, preset and data set have of themselves.

    Returns:
        keys of ``Plan``, ``config`` and ``data`` as tables; nothing if a plugin is missing.
    """
    asked = {key: getattr(plan, key) for key in ("preset", "backend", "data")}
    asked |= {kind: plan.qualified(kind) for kind in ("model", "dataset")}
    try:
        base = make_plan(registry, asked)
        preset = registry.find("models", asked["model"]).spec.presets[plan.preset]
        config = resolve(registry.find("datasets", asked["dataset"]).spec.config)
    except GenkitError:
        return {}
    of_preset = preset.get("data", {}) if preset.get("dataset") == plan.dataset else {}
    data = {**_class_defaults(config), **of_preset}
    return {**base.model_dump(mode="json"), "data": data}


def run_command(plan: Plan, registry: Registry) -> str:
    """Return the ``genkit run`` command of a plan: what its preset says is left out.

    Where a program handed over the model or the data it is the call of ``genkit.train``.
    """
    usual = defaults(plan, registry)
    if model_is_handed_over(plan) or data_is_handed_over(plan):
        return _python_call(plan, usual)
    words = ["genkit run " + shlex.quote(plan.model)]
    words += [f"--preset {shlex.quote(plan.preset)}"] if plan.preset != "default" else []
    words += [f"--dataset {shlex.quote(plan.dataset)}", f"--backend {plan.backend}"]
    words += [f"--data {shlex.quote(pair)}" for pair in _pairs(plan.data, usual.get("data"))]
    words += [f"--set {shlex.quote(pair)}" for pair in _pairs(plan.config, usual.get("config"))]
    trainer = _pairs(plan.trainer_config, usual.get("trainer_config"))
    words += [f"--trainer-set {shlex.quote(pair)}" for pair in trainer]
    lengths = {key: getattr(plan, key) for key in LENGTH}
    if lengths != {key: usual.get(key) for key in LENGTH}:
        words += [f"--{key} {value:g}" for key, value in lengths.items() if value is not None]
    for key, value in _changed(plan, usual):
        flag = f"--{key.replace('_', '-')}"
        words += [
            f"{flag} {shlex.quote(str(each))}"
            for each in (value if isinstance(value, list) else [value])
        ]
    if plan.callbacks:
        words.append("--recipe callbacks.toml")
    return " \\\n    ".join(words)


def _changed(plan: Plan, usual: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings with a flag whose value isn't that of the preset and the defaults."""
    for key, value in plan.model_dump(mode="json", include=set(_FLAGS)).items():
        if value not in (None, []) and (not usual or value != usual[key]):
            yield key, value


def _python_call(plan: Plan, usual: Mapping[str, Any]) -> str:
    model = plan.model.replace("-", "_") if model_is_handed_over(plan) else repr(plan.model)
    given: dict[str, Any] = {} if plan.preset == "default" else {"preset": plan.preset}
    data = dict(plan.data)
    if data_is_handed_over(plan):
        dataset = f"    dataset=data,  # {data.pop('object')}, SHA-256 {data.pop('fingerprint')}"
    else:
        dataset = f"    dataset={plan.dataset!r},"
    given["backend"] = plan.backend
    tables = {"data": data, "config": plan.config, "trainer_config": plan.trainer_config}
    for key, values in tables.items():
        base = usual.get(key, {})
        changed = {k: v for k, v in values.items() if k not in base or base[k] != v}
        given |= {key: changed} if changed else {}
    given |= {key: getattr(plan, key) for key in LENGTH if getattr(plan, key) is not None}
    given |= dict(_changed(plan, usual))
    if plan.callbacks:
        given["callbacks"] = plan.callbacks
    lines = [f"    {key}={value!r}," for key, value in given.items()]
    return "\n".join(["genkit.train(", f"    {model},", dataset, *lines, ")"])


def recipe(plan: Plan) -> str:
    """Return the recipe that names the plan's callbacks, for which there are no flags."""
    lines: list[str] = []
    for name, settings in plan.callbacks.items():
        lines += [f"[callbacks.{_toml(name)}]"]
        lines += [f"{_toml(key)} = {_toml(value)}" for key, value in settings.items()]
    return "\n".join(lines)


def pip_command(plan: Plan, environment: Mapping[str, Any]) -> str:
    """Return the ``pip install`` command of the versions that made a run."""
    versions = {**environment.get("versions", {})}
    plugins = environment.get("plugins", {})
    wanted = sorted({*plan.distributions.values()} - {OWN, PROGRAM})
    own = f"=={environment['genkit']}" if "genkit" in environment else ""
    pins = [f"{OWN}[{plan.backend}]{own}"]
    pins += [f"{name}=={plugins[name]}" if name in plugins else name for name in wanted]
    # "+cpu" and its kin name a build, which another machine may not have.
    pins += [f"{name}=={str(version).partition('+')[0]}" for name, version in versions.items()]
    return "pip install " + " ".join(map(shlex.quote, pins))


def _class_defaults(config: type[pydantic.BaseModel]) -> dict[str, Any]:
    fields = config.model_fields.items()
    given = {
        key: field.get_default(call_default_factory=True)
        for key, field in fields
        if not field.is_required()
    }
    plain: dict[str, Any] = config.model_construct(**given).model_dump(
        mode="json", include=set(given)
    )
    return plain


def _pairs(settings: Mapping[str, Any], usual: Mapping[str, Any] | None) -> Iterator[str]:
    for key, value in settings.items():
        if value is not None and (usual is None or key not in usual or usual[key] != value):
            yield f"{key}={value if isinstance(value, str) else _toml(value)}"


def _toml(value: Any) -> str:
    """Write a value of a plan as TOML, which has no word for None: in tables it is left out."""
    if isinstance(value, Mapping):
        pairs = [f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items() if v is not None]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
