"""The manifests: valid by Kubernetes' own schemas, consistent with each other, and with what the project has.

KubeRay's resource has no schema in any package: `raycluster.schema.json` is ours, of the fields of version 1 that may be used; the pods in
it are checked as pods.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from velella.actors.topology import Topology
from velella.core.settings import Settings

from .commands import check_velella, setting_of
from .queries import DEPLOY

FOLDER = DEPLOY / "kubernetes"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
VERSIONS = ("1.33", kubernetes_validate.latest_version())
Manifest = dict[str, Any]


def manifests(file: str) -> list[Manifest]:
    return list(yaml.safe_load_all((FOLDER / file).read_text()))


def pods(manifest: Manifest) -> Iterator[Manifest]:
    """The pod templates of a manifest."""
    spec = manifest.get("spec", {})
    if manifest["kind"] in ("Deployment", "Job"):
        yield spec["template"]
    elif manifest["kind"] == "RayCluster":
        yield from (group["template"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]))


def containers() -> list[tuple[str, Manifest]]:
    return [
        (file, container)
        for file in FILES
        for manifest in manifests(file)
        for pod in pods(manifest)
        for container in pod["spec"]["containers"]
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", FILES)
def test_kubernetes_takes_them(file: str, version: str) -> None:
    for manifest in manifests(file):
        if manifest["kind"] != "RayCluster":
            kubernetes_validate.validate(manifest, version, strict=True)
        for template in pods(manifest):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "a-pod"}, "spec": template["spec"]}
            kubernetes_validate.validate(pod, version, strict=True)


def test_kuberay_takes_the_cluster() -> None:
    schema = json.loads((Path(__file__).parent / "raycluster.schema.json").read_text())
    (cluster,) = (manifest for manifest in manifests("ray.yaml") if manifest["kind"] == "RayCluster")
    jsonschema.Draft202012Validator(schema).validate(cluster)
    assert cluster["spec"]["rayVersion"].split(".")[:2] == version("ray").split(".")[:2]
    (offered,) = re.findall(r"^  # (gcsFaultToleranceOptions: .*)$", (FOLDER / "ray.yaml").read_text(), re.MULTILINE)
    jsonschema.Draft202012Validator(schema).validate({**cluster, "spec": {**cluster["spec"], **yaml.safe_load(offered)}})
    with pytest.raises(jsonschema.ValidationError):  # the schema is strict where mistakes are made
        jsonschema.Draft202012Validator(schema).validate({**cluster, "spec": {**cluster["spec"], "workerGroupSpec": []}})


@pytest.mark.parametrize("file", FILES)
def test_services_and_budgets_find_their_pods(file: str) -> None:
    there = manifests(file)
    templates = [pod for manifest in there for pod in pods(manifest)]

    def selected(labels: dict[str, str]) -> list[Manifest]:
        return [pod for pod in templates if labels.items() <= pod["metadata"]["labels"].items()]

    for manifest in there:
        spec = manifest.get("spec", {})
        if manifest["kind"] == "Service":
            found = selected(spec["selector"])
            assert found
            for pod in found:
                names = {port["name"] for container in pod["spec"]["containers"] for port in container.get("ports", ())}
                assert {port["targetPort"] for port in spec["ports"]} <= names
        if manifest["kind"] == "PodDisruptionBudget":
            assert selected(spec["selector"]["matchLabels"])
        if manifest["kind"] == "NetworkPolicy":
            assert selected(spec["podSelector"]["matchLabels"]) == templates, "every pod is behind it"
        if manifest["kind"] == "Deployment":
            assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_no_pod_has_more_rights_than_it_needs() -> None:
    for file in FILES:
        for manifest in manifests(file):
            for pod in pods(manifest):
                account = pod["spec"]["securityContext"]
                assert account["runAsNonRoot"]
                assert account["runAsUser"] == 10001
                assert account["seccompProfile"] == {"type": "RuntimeDefault"}
                assert pod["spec"]["automountServiceAccountToken"] is False
    for _, container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounted >= {"/var/lib/velella", "/tmp"}, "where Velella and Ray write"
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("file", FILES)
def test_who_may_ask_a_pod_is_said(file: str) -> None:
    there = manifests(file)
    (policy,) = (manifest["spec"] for manifest in there if manifest["kind"] == "NetworkPolicy")
    assert policy["policyTypes"] == ["Ingress"]
    open_to_all = [port["port"] for rule in policy.get("ingress", ()) if "from" not in rule for port in rule["ports"]]
    services = [port["port"] for manifest in there if manifest["kind"] == "Service" for port in manifest["spec"]["ports"]]
    assert open_to_all == services, "the door, where there is one"


def test_mounts_have_volumes_and_secrets_their_names() -> None:
    for file in FILES:
        there = manifests(file)
        config_maps = {manifest["metadata"]["name"] for manifest in there if manifest["kind"] == "ConfigMap"}
        token = {manifest["metadata"]["name"] for manifest in there if manifest["kind"] == "RayCluster"}
        for pod in (pod for manifest in there for pod in pods(manifest)):
            volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
            for volume in volumes.values():
                assert "configMap" not in volume or volume["configMap"]["name"] in config_maps
            for container in pod["spec"]["containers"]:
                assert {mount["name"] for mount in container["volumeMounts"]} <= volumes.keys()
                assert {source["secretRef"]["name"] for source in container.get("envFrom", ())} <= {"velella-settings"}
                for variable in container.get("env", ()):
                    if "valueFrom" in variable:
                        assert variable["valueFrom"]["secretKeyRef"]["name"] in token
                    elif not variable["name"].startswith("RAY_"):
                        setting_of(variable["name"])


def test_the_commands_are_ours() -> None:
    lines = []
    for _, container in containers():
        if "command" in container:
            (script,) = container["args"]
            lines += [line.removeprefix("exec ") for line in script.splitlines()]
        elif "args" in container:
            lines.append(shlex.join(["velella", *container["args"]]))
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            if "exec" in container.get(probe, {}):
                lines.append(shlex.join(container[probe]["exec"]["command"]))
            elif probe in container:
                path = "/health/ready" if probe == "readinessProbe" else "/health"
                assert container[probe]["httpGet"] == {"path": path, "port": "http"}
    programs = {line.split()[0] for line in lines}
    assert programs == {"velella", "ray"}
    for line in lines:
        if line.startswith("velella "):
            check_velella(shlex.split(line)[1:])
    assert {shlex.split(line)[1] for line in lines if line.startswith("velella ")} >= {"serve", "migrate"}


def test_the_secret_holds_settings_and_all_that_pods_must_share() -> None:
    text = "".join((FOLDER / file).read_text() for file in FILES)
    names = set(re.findall(r"--from-literal=(\w+)=", text))
    assert {setting_of(name) for name in names} >= {"database_url", *Settings.SECRETS}


def test_the_pools_have_nodes_to_go_to() -> None:
    there = {manifest["kind"]: manifest for manifest in manifests("ray.yaml") if manifest["kind"] in ("ConfigMap", "RayCluster")}
    topology = Topology.parse(yaml.safe_load(there["ConfigMap"]["data"]["cluster.yaml"]), Settings(database_url="postgresql://db/shop"))
    groups = {tuple(group["labels"].items()): group for group in there["RayCluster"]["spec"]["workerGroupSpecs"]}
    for pool in topology.pools:
        assert tuple(pool.labels.items()) in groups, f"no node has the labels of {pool.name}"
    (doors,) = (pool for pool in topology.pools if "http" in pool.services)
    group = groups[tuple(doors.labels.items())]
    assert any(port["name"] == "http" for container in group["template"]["spec"]["containers"] for port in container["ports"])
    assert sum(tuple(pool.labels.items()) == tuple(doors.labels.items()) for pool in topology.pools) == 1, (
        "where the Service leads are doors"
    )
