"""What the chart promises of its pod: the trainer is there when it is wanted, and nothing has a right that it does not need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.chart import Rendered, Values, at, render
from vmaftune.state.folders import cache_folder

ON = at("sidecar.trainer.enabled", True)
TRAINER_VOLUMES = {"trainer-socket", "trainer-tmp", "checkpoints", "spool"}
BOTH: list[Values] = [{}, ON]


def _mounts(rendered: Rendered, container: str) -> dict[str, dict[str, Any]]:
    return {mount["name"]: mount for mount in rendered.containers[container]["volumeMounts"]}


def _env(rendered: Rendered, container: str) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in rendered.containers[container]["env"]}


def test_off_is_the_default_and_nothing_of_the_trainer_is_there() -> None:
    rendered = render()
    assert {*rendered.containers} == {"worker"}
    assert not TRAINER_VOLUMES & {*rendered.volumes}
    assert not TRAINER_VOLUMES & {*_mounts(rendered, "worker")}
    assert "trainer" not in str(rendered.pod).lower()
    assert not render({"persistence": {"spool": {"enabled": True}}}).kind("PersistentVolumeClaim")


def test_on_both_containers_meet_at_the_socket() -> None:
    rendered = render(ON)
    assert {*rendered.containers} == {"worker", "trainer"}
    assert rendered.volumes["trainer-socket"]["emptyDir"]["medium"] == "Memory"
    places = {_mounts(rendered, name)["trainer-socket"]["mountPath"] for name in ("worker", "trainer")}
    sockets = {_env(rendered, name)["VMAFTUNE_TRAINER_SOCKET"] for name in ("worker", "trainer")}
    arguments = rendered.containers["trainer"]["args"]
    assert len(places) == 1 and sockets == {f"{places.pop()}/trainer.sock"} == {
        arguments[arguments.index("--socket") + 1]
    }


def test_both_are_one_user_as_the_socket_wants_it() -> None:
    rendered = render(ON)
    security = rendered.pod["securityContext"]
    assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] == 10001
    assert not any("runAsUser" in container["securityContext"] for container in rendered.containers.values())


def test_the_trainer_writes_models_and_the_worker_reads_them() -> None:
    rendered = render(ON)
    trainer, worker = _mounts(rendered, "trainer")["models"], _mounts(rendered, "worker")["models"]
    assert worker["readOnly"] and not trainer.get("readOnly")
    assert trainer["mountPath"] == worker["mountPath"] == _env(rendered, "worker")["VMAFTUNE_MODELS"]
    assert _env(rendered, "trainer")["VMAFTUNE_MODELS"] == trainer["mountPath"]


def test_the_cache_is_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = render(ON)
    for name in ("worker", "trainer"):
        monkeypatch.setenv("XDG_CACHE_HOME", _env(rendered, name)["XDG_CACHE_HOME"])
        assert _mounts(rendered, name)["spool"]["mountPath"] == f"{cache_folder()}/trainer"
    assert _mounts(rendered, "worker")["cache"]["mountPath"] == str(cache_folder())


def test_what_the_trainer_keeps_is_on_a_volume() -> None:
    rendered = render(ON)
    arguments = rendered.containers["trainer"]["args"]
    assert _mounts(rendered, "trainer")["checkpoints"]["mountPath"] == arguments[arguments.index("--folder") + 1]


@pytest.mark.parametrize("over", BOTH, ids=["off", "on"])
def test_no_container_has_more_rights_than_it_needs(over: Values) -> None:
    rendered = render(over)
    pod = rendered.pod
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["seccompProfile"] == {
        "type": "RuntimeDefault"
    }
    assert pod["automountServiceAccountToken"] is False
    assert rendered.kind("ServiceAccount")[0]["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & {*pod}
    for name, container in rendered.containers.items():
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] and security["runAsNonRoot"]
        assert security["allowPrivilegeEscalation"] is False and "privileged" not in security
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "ports" not in container
        tmp = _mounts(rendered, name)[f"{name}-tmp"]
        assert tmp["mountPath"] == "/tmp" and rendered.volumes[tmp["name"]]["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("over", BOTH, ids=["off", "on"])
def test_every_container_has_limits(over: Values) -> None:
    for container in render(over).containers.values():
        assert {"cpu", "memory"} <= {*container["resources"]["limits"]} and container["resources"]["requests"]


def test_the_trainer_is_watched() -> None:
    trainer = render(ON).containers["trainer"]
    status = ["vmaf-tune", "trainer", "status", "--json"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert trainer[probe]["exec"]["command"] == status and trainer[probe]["timeoutSeconds"] >= 5
    assert trainer["startupProbe"]["periodSeconds"] * trainer["startupProbe"]["failureThreshold"] == 120


@pytest.mark.parametrize("over", BOTH, ids=["off", "on"])
def test_every_mount_has_its_volume_and_every_volume_is_mounted(over: Values) -> None:
    rendered = render(over)
    mounted = {name for container in rendered.containers for name in _mounts(rendered, container)}
    assert mounted == {*rendered.volumes}


def test_volumes_that_stay() -> None:
    claims = {name: {"enabled": True} for name in ("cache", "models", "checkpoints")}
    rendered = render({**ON, "persistence": {**claims, "spool": {"enabled": True, "existingClaim": "mine"}}})
    made = {claim["metadata"]["name"]: claim for claim in rendered.kind("PersistentVolumeClaim")}
    assert {*made} == {f"farm-vmaf-tune-{name}" for name in claims}
    for name in claims:
        assert rendered.volumes[name]["persistentVolumeClaim"]["claimName"] == f"farm-vmaf-tune-{name}"
        assert made[f"farm-vmaf-tune-{name}"]["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert rendered.volumes["spool"]["persistentVolumeClaim"]["claimName"] == "mine"


def test_one_owner_at_a_time() -> None:
    (deployment,) = render(ON).kind("Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_notes_say_what_is_on_and_what_is_lost() -> None:
    assert "trainer off" in render().notes and "sidecar.trainer.enabled=true" in render().notes
    assert "trainer beside each" in render(ON).notes and "goes with the pod" in render(ON).notes
    kept = {name: {"enabled": True} for name in ("models", "checkpoints", "spool")}
    assert "goes with the pod" not in render({**ON, "persistence": kept}).notes
