"""The chart rendered as helm would: values merged and held against their schema, templates with helm's objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from gotpl.exts.helm import HelmTemplateEngine

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "vmaf-tune"
_FOLDER = "vmaf-tune/templates"

Values = dict[str, Any]


class Files:
    """helm's ``.Files``."""

    def Get(self, name: str) -> str:
        return (CHART / name).read_text("utf-8")


@dataclass(frozen=True)
class Rendered:
    """What an installation would send to the cluster, and what it would say."""

    manifests: list[dict[str, Any]]
    notes: str

    def kind(self, kind: str) -> list[dict[str, Any]]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    @property
    def pod(self) -> dict[str, Any]:
        (deployment,) = self.kind("Deployment")
        spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
        return spec

    @property
    def containers(self) -> dict[str, dict[str, Any]]:
        return {container["name"]: container for container in self.pod["containers"]}

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        return {volume["name"]: volume for volume in self.pod["volumes"]}


def defaults() -> Values:
    values: Values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return values


def merged(base: Values, over: Mapping[str, Any]) -> Values:
    """Maps are merged, all else is replaced, and null takes a key away: helm's rule."""
    result = deepcopy(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = deepcopy(value)
    return result


def at(path: str, value: Any) -> Values:
    """``{a: {b: value}}`` of ``a.b``, as ``--set`` gives it."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def check(values: Values) -> None:
    """Hold values against the chart's schema.

    Raises:
        ValueError: they are wrong; one line for each fault, as helm prints them.
    """
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    faults = sorted(
        f"{'.'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in validator.iter_errors(values)
    )
    if faults:
        raise ValueError("\n".join(faults))


def render(over: Mapping[str, Any] | None = None, release: str = "farm") -> Rendered:
    """The chart with a user's values over its own.

    Raises:
        ValueError: the schema refuses the values.
        gotpl.TemplateError: a template does, or is wrong.
    """
    values = merged(defaults(), over or {})
    check(values)
    engine, names = _engine()
    objects = {
        "Values": values,
        "Chart": _chart(),
        "Release": {"Name": release, "Namespace": "video", "Service": "Helm"},
        "Files": Files(),
    }
    texts = engine.render({name: {**objects, "Template": {"Name": name, "BasePath": _FOLDER}} for name in names})
    notes = texts.pop(f"{_FOLDER}/NOTES.txt")
    return Rendered([found for text in texts.values() for found in yaml.safe_load_all(text) if found], notes)


@cache
def _chart() -> Values:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    return {key[:1].upper() + key[1:]: value for key, value in chart.items()}


@cache
def _engine() -> tuple[HelmTemplateEngine, list[str]]:
    """The templates compiled, and the names of those that give output. A key that no value has is an error."""
    sources = {f"{_FOLDER}/{path.name}": path.read_text("utf-8") for path in sorted((CHART / "templates").iterdir())}
    names = [name for name in sources if not name.endswith(".tpl")]
    return HelmTemplateEngine.from_sources(sources, strict=True), names
