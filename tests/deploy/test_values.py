"""Values that are wrong are refused, and the message says which and why."""

from __future__ import annotations

import json
from typing import Any

import gotpl
import jsonschema
import pytest

from tests.deploy.chart import CHART, Values, at, check, defaults, merged, render

BAD: dict[str, tuple[Any, str]] = {
    "replicas": (-1, "replicas: -1 is less than the minimum of 0"),
    "replica": (2, "'replica' was unexpected"),
    "fullnameOverride": ("Big_Name", "fullnameOverride: 'Big_Name' does not match"),
    "terminationGracePeriodSeconds": (1, "terminationGracePeriodSeconds: 1 is less than the minimum of 10"),
    "security.uid": (0, "security.uid: 0 is less than the minimum of 1"),
    "security.gid": ("users", "security.gid: 'users' is not of type 'integer'"),
    "security.privileged": (True, "security: Additional properties are not allowed ('privileged' was unexpected)"),
    "config": ({"search": {}}, "config: {'search': {}} is not of type 'string'"),
    "worker.command": ("vmaf-tune doctor", "worker.command: 'vmaf-tune doctor' is not of type 'array'"),
    "worker.options": ([93], "worker.options.0: 93 is not of type 'string'"),
    "worker.intervalSeconds": (0, "worker.intervalSeconds: 0 is less than the minimum of 1"),
    "worker.image.repository": (None, "worker.image: 'repository' is a required property"),
    "worker.image.pullPolicy": ("Sometimes", "worker.image.pullPolicy: 'Sometimes' is not one of"),
    "worker.image.tag": ("a b", "worker.image.tag: 'a b' does not match"),
    "worker.input.volume": (
        {"emptyDir": {}, "nfs": {}},
        "worker.input.volume: {'emptyDir': {}, 'nfs': {}} has too many properties",
    ),
    "worker.env": ({"A-B": "1"}, "worker.env: 'A-B' does not match"),
    "worker.env.HOME": ("/root", "worker.env: 'HOME' should not be valid"),
    "worker.env.N": (1, "worker.env.N: 1 is not of type 'string'"),
    "worker.tmpSize": ("20 GB", "worker.tmpSize: '20 GB' does not match"),
    "worker.resources.limits.memory": (None, "worker.resources.limits: 'memory' is a required property"),
    "worker.resources.limits.cpu": ("many", "worker.resources.limits.cpu: 'many' does not match"),
    "sidecar.trainer.enabled": ("yes", "sidecar.trainer.enabled: 'yes' is not of type 'boolean'"),
    "sidecar.trainer.resources.limits": (None, "sidecar.trainer.resources: 'limits' is a required property"),
    "sidecar.trainer.metrics.port": (80, "sidecar.trainer.metrics.port: 80 should not be valid"),
    "sidecar.trainer.probes.periodSeconds": (
        0,
        "sidecar.trainer.probes.periodSeconds: 0 is less than the minimum of 1",
    ),
    "sidecar.trainer.sockets": (
        "/tmp/s",
        "sidecar.trainer: Additional properties are not allowed ('sockets' was unexpected)",
    ),
    "persistence.spool.size": ("1G B", "persistence.spool.size: '1G B' does not match"),
    "persistence.cache.accessModes": (
        ["ReadOnlyMany"],
        "persistence.cache.accessModes.0: 'ReadOnlyMany' is not one of",
    ),
    "persistence.logs": ({}, "persistence: Additional properties are not allowed ('logs' was unexpected)"),
    "extraContainers": ([{"name": "a"}], "extraContainers.0: 'image' is a required property"),
}


@pytest.mark.parametrize("path", BAD)
def test_bad_values_are_refused(path: str) -> None:
    value, message = BAD[path]
    with pytest.raises(ValueError) as refused:
        render(at(path, value))
    assert message in str(refused.value) and len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"replicas": 2}, "give a worker.command that shares the work"),
        ({"replicas": 2, **at("persistence.cache.enabled", True)}, "persistence.cache is for one pod"),
        (
            {"replicas": 2, **at("persistence.models.enabled", True), **at("sidecar.trainer.enabled", True)},
            "persistence.models is for one pod",
        ),
    ],
    ids=["loop", "cache", "models"],
)
def test_values_that_do_not_go_together(over: Values, message: str) -> None:
    if "persistence" in over:
        over = merged(over, at("worker.command", ["vmaf-tune", "doctor"]))
    with pytest.raises(gotpl.TemplateError, match=message):
        render(over)


def test_models_that_are_only_read_are_for_many() -> None:
    over = {"replicas": 2, **at("persistence.models.enabled", True), **at("worker.command", ["vmaf-tune", "doctor"])}
    assert render(over).kind("Deployment")[0]["spec"]["replicas"] == 2


def test_the_schema_is_one_and_the_defaults_keep_it() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    check(defaults())
    check({**defaults(), "global": {"of": "a parent chart"}})


def test_schema_and_defaults_name_the_same_values() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))

    def names(node: dict[str, Any]) -> Any:
        if "$ref" in node:
            node = schema["definitions"][node["$ref"].rpartition("/")[2]]
        return {name: names(inner) for name, inner in node["properties"].items()} if "properties" in node else None

    def have(described: Any, values: Any) -> bool:
        if described is None:
            return True
        return {*described} == {*values} and all(have(described[name], values[name]) for name in described)

    described = names(schema)
    del described["global"]
    resources = [defaults()["worker"]["resources"], defaults()["sidecar"]["trainer"]["resources"]]
    assert all({*r} == {"requests", "limits"} for r in resources)
    assert have(described, defaults())
