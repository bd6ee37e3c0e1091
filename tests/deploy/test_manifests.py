"""Every manifest is one that Kubernetes takes, whatever is switched on."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.chart import CHART, Values, at, defaults, merged, render

_EVERY_CLAIM = {name: {"enabled": True} for name in defaults()["persistence"]}
CASES: dict[str, Values] = {
    "trainer-off": {},
    "trainer-on": at("sidecar.trainer.enabled", True),
    "claims-trainer-off": {"persistence": _EVERY_CLAIM},
    "claims": {"persistence": _EVERY_CLAIM, **at("sidecar.trainer.enabled", True)},
    "everything": {
        "replicas": 2,
        "nameOverride": "tune",
        "imagePullSecrets": [{"name": "pull"}],
        "podAnnotations": {"team": "video"},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "encode", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {}},
        "serviceAccount": {"name": "tuner", "annotations": {"a": "b"}},
        "extraContainers": [{"name": "collector", "image": "collector:1"}],
        "worker": {
            "command": ["vmaf-tune", "doctor"],
            "env": {"TMPDIR": "/tmp"},
            "input": {"volume": {"persistentVolumeClaim": {"claimName": "films"}}, "readOnly": True},
            "results": {"volume": {"hostPath": {"path": "/srv/results"}}},
        },
        "sidecar": {
            "trainer": {
                "enabled": True,
                "image": {"tag": "mine"},
                "options": ["--metrics-file", "/tmp/metrics.prom"],
                "metrics": {"port": 0, "annotations": {"scrape": "true"}},
                "env": {"VMAFTUNE_TRAINER_CUDA": "1"},
                "resources": {"limits": {"nvidia.com/gpu": "1"}},
            }
        },
    },
}


@pytest.mark.parametrize("version", ["1.25", "1.37"])
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_every_manifest(case: str, version: str) -> None:
    manifests = render(CASES[case]).manifests
    for manifest in manifests:
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_a_wrong_manifest_is_seen() -> None:
    (deployment,) = render().kind("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.37", strict=True)


def test_the_oldest_version_tried_is_the_oldest_allowed() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))["kubeVersion"] == ">=1.25.0-0"


def test_user_values_arrive() -> None:
    rendered = render(CASES["everything"])
    pod, worker, trainer = rendered.pod, rendered.containers["worker"], rendered.containers["trainer"]
    (deployment,) = rendered.kind("Deployment")
    assert deployment["metadata"]["name"] == "farm-tune" and deployment["spec"]["replicas"] == 2
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["team"] == "video" and annotations["scrape"] == "true"
    assert pod["serviceAccountName"] == "tuner" and pod["nodeSelector"] == {"disk": "fast"}
    assert worker["command"] == ["vmaf-tune", "doctor"] and {"name": "TMPDIR", "value": "/tmp"} in worker["env"]
    assert rendered.volumes["input"] == {"name": "input", "persistentVolumeClaim": {"claimName": "films"}}
    assert rendered.volumes["results"] == {"name": "results", "hostPath": {"path": "/srv/results"}}
    assert trainer["image"] == "vmaf-tune-trainer:mine" and "--metrics-port" not in trainer["args"]
    assert trainer["args"][-2:] == ["--metrics-file", "/tmp/metrics.prom"]
    assert {"name": "VMAFTUNE_TRAINER_CUDA", "value": "1"} in trainer["env"]
    assert trainer["resources"]["limits"] == {"cpu": "1", "memory": "2Gi", "nvidia.com/gpu": "1"}
    assert "collector" in rendered.containers


def test_numbers_as_helm_reads_them_give_the_same() -> None:
    """helm reads YAML by way of JSON, where every number may be a float."""

    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(inner) for key, inner in value.items()}
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    over = {"security": {"uid": 1000680000, "gid": 1000680000}, **at("sidecar.trainer.enabled", True)}
    assert render(floats(merged(defaults(), over))) == render(over)


def test_a_change_of_the_configuration_changes_the_pod() -> None:
    def checksum(over: Values) -> str:
        (deployment,) = render(over).kind("Deployment")
        value: str = deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return value

    assert checksum({}) == checksum({}) != checksum({"config": '[search]\nencoder = "libx264"\n'})


def test_names_are_short_enough() -> None:
    rendered = render({"fullnameOverride": "n" * 63, "persistence": _EVERY_CLAIM}, release="r" * 53)
    assert all(len(manifest["metadata"]["name"]) <= 63 for manifest in rendered.manifests)
    assert render(release="vmaf-tune-a").kind("Deployment")[0]["metadata"]["name"] == "vmaf-tune-a"
