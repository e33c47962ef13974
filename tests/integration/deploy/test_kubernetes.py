"""The manifests of deploy/kubernetes: valid, restricted, and with settings that relay starts with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import asyncpg
import kubernetes_validate
import pytest
import yaml

from relay.embedded import Access, Services
from relay.handlers.health import ROUTES
from relay.settings import OF_DELIVERER, OF_WEB, OF_WORKER, SECRETS, Settings
from relay.tracing.variables import not_read, read
from tests.support.service_users import database_as

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "kubernetes"
VERSION: Final = "1.34"
OURS: Final = frozenset({"kustomize.config.k8s.io", "keda.sh"})
"""Groups of others, whose schemas Kubernetes does not have."""
PODS: Final = ("Deployment", "Job")
NOT_READ: Final = {
    "serve": OF_WORKER | OF_DELIVERER,
    "worker": OF_WEB | OF_DELIVERER,
    "deliver": OF_WEB | OF_WORKER,
    "migrate": OF_WEB | OF_WORKER | OF_DELIVERER,
}
"""By command what only other processes read."""


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object with the file that it is in."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            yield path.name, document


ALL: Final = list(documents())
TRACES: Final = {
    path.name: list(yaml.safe_load_all(path.read_text("utf-8")))
    for path in sorted((FOLDER / "traces").glob("*.yaml"))
}
"""What is applied besides where traces are wanted, by file."""


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    """Objects of these kinds."""
    return [document for _name, document in ALL if document["kind"] in kinds]


def pod_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a workload runs."""
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found


WORKLOADS: Final = of_kind(*PODS)
NAMED: Final = pytest.mark.parametrize(
    "workload", WORKLOADS, ids=[one["metadata"]["name"] for one in WORKLOADS]
)


@pytest.mark.parametrize(("name", "document"), ALL)
def test_it_is_what_kubernetes_takes(name: str, document: dict[str, Any]) -> None:
    """By the schemas of a release that is current, with no member that it does not know."""
    assert document["metadata"]["name"] if document["kind"] != "Kustomization" else name
    if document["apiVersion"].split("/")[0] not in OURS:
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_every_file_is_applied() -> None:
    """And the images are of no moving tag."""
    [listed] = of_kind("Kustomization")
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
    assert {image["name"] for image in listed["images"]} == {"relay"}
    assert all(image["newTag"] not in {"", "latest"} for image in listed["images"])


@NAMED
def test_a_pod_may_do_nothing_that_it_does_not_need(workload: dict[str, Any]) -> None:
    """No root, no capability, no writable file system, no token of the cluster, an end to its memory."""
    pod = pod_of(workload)
    whole = pod["securityContext"]
    assert (whole["runAsNonRoot"], whole["runAsUser"]) == (True, 10001)
    is_worker = workload["metadata"]["namespace"] == "relay-workers"
    assert whole["seccompProfile"]["type"] == ("Localhost" if is_worker else "RuntimeDefault")
    assert ("appArmorProfile" in whole) is is_worker
    assert pod["automountServiceAccountToken"] is False
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    assert "hostPath" not in str(pod)


def test_each_process_has_an_identity_of_its_own() -> None:
    """No two share an account or a Secret."""
    accounts = [pod_of(one)["serviceAccountName"] for one in WORKLOADS]
    secrets = [
        volume["secret"]["secretName"]
        for one in WORKLOADS
        for volume in pod_of(one)["volumes"]
        if "secret" in volume
    ]
    assert len(set(accounts)) == len(accounts) == len(WORKLOADS)
    assert len(set(secrets)) == len(secrets) == len(WORKLOADS)
    assert set(accounts) == {one["metadata"]["name"] for one in of_kind("ServiceAccount")}
    assert all(one["automountServiceAccountToken"] is False for one in of_kind("ServiceAccount"))


def environment(workload: dict[str, Any], folder: Path) -> dict[str, str]:
    """The environment of a process, with its secrets as files."""
    [container] = pod_of(workload)["containers"]
    maps = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["data"]
        for one in of_kind("ConfigMap")
    }
    given: dict[str, str] = {}
    for source in container.get("envFrom", []):
        given |= maps[workload["metadata"]["namespace"], source["configMapRef"]["name"]]
    for variable in container["env"]:
        value = variable["value"]
        if value.startswith("/run/secrets/relay/"):
            (folder / Path(value).name).write_text("secret")
            value = str(folder / Path(value).name)
        given[variable["name"]] = value
    return given


@NAMED
def test_a_process_is_given_what_it_reads(workload: dict[str, Any], tmp_path: Path) -> None:
    """It starts with these settings; what is secret comes as a file; nothing is for another process."""
    [container] = pod_of(workload)["containers"]
    [command] = container["args"]
    given = environment(workload, tmp_path)
    Settings.from_environment(given, database_alone=command in {"deliver", "migrate"})
    in_files = {f"RELAY_{name.upper()}_FILE" for name in SECRETS}
    names = {name.removesuffix("_FILE") if name in in_files else name for name in given}
    known = {f"RELAY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    assert names <= known
    for name in SECRETS:
        assert f"RELAY_{name.upper()}" not in given
    others = {f"RELAY_{name.upper()}" for name in NOT_READ[command]}
    assert not names & others


def test_a_probe_asks_what_there_is() -> None:
    """On the ports that are open."""
    paths = {route.path for route in ROUTES}
    for workload in WORKLOADS:
        [container] = pod_of(workload)["containers"]
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            if probe in container:
                assert container[probe]["httpGet"]["path"] in paths
                assert container[probe]["httpGet"]["port"] in ports


def test_nothing_comes_in_or_goes_out_but_what_is_named() -> None:
    """In each namespace nothing is allowed at first; no policy allows everything."""
    policies = of_kind("NetworkPolicy")
    spaces = {one["metadata"]["name"] for one in of_kind("Namespace")}
    for space in spaces:
        assert any(
            one["metadata"]["namespace"] == space
            and one["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
            for one in policies
        )
    for policy in policies:
        for way in ("ingress", "egress"):
            for rule in policy["spec"].get(way, []):
                assert rule.get("from" if way == "ingress" else "to")
                assert rule["ports"]
    workers = [one for one in policies if one["metadata"]["namespace"] == "relay-workers"]
    assert all("0.0.0.0/0" not in str(one) for one in workers)
    named = {
        one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in policies
        if one["spec"]["podSelector"]
    }
    assert named == {one["metadata"]["name"] for one in WORKLOADS}


def test_traces_lead_to_a_collector_and_nowhere_else() -> None:
    """What is added where they are wanted: valid, for objects that are there, one way out of each space."""
    [component] = TRACES["kustomization.yaml"]
    files = [*component["resources"], *(patch["path"] for patch in component["patches"])]
    assert set(files) == TRACES.keys() - {"kustomization.yaml"}
    policies = TRACES["networks.yaml"]
    for policy in policies:
        kubernetes_validate.validate(policy, VERSION, strict=True)
        [rule] = policy["spec"]["egress"]
        assert (policy["spec"]["policyTypes"], rule["ports"]) == (
            ["Egress"],
            [{"protocol": "TCP", "port": 4318}],
        )
        [to] = rule["to"]
        assert to.keys() == {"namespaceSelector", "podSelector"}
        assert policy["spec"]["podSelector"], "migration has no part in it"
    assert [one["metadata"]["namespace"] for one in policies] == ["relay", "relay-workers"]
    there = {_called(one) for one in of_kind("ConfigMap", "Deployment")}
    for patch in component["patches"]:
        [patched] = TRACES[patch["path"]]
        assert _called(patched) in there
        given = patched.get("data") or {
            variable["name"]: variable["value"]
            for variable in pod_of(patched)["containers"][0]["env"]
        }
        exporting = read(given, "relay")
        assert exporting is not None
        assert not not_read(given)
        assert exporting.endpoint == "http://collector.monitoring:4318/v1/traces"


def _called(document: Mapping[str, Any]) -> tuple[str, str, str]:
    named = document["metadata"]
    return document["kind"], named["namespace"], named["name"]


async def test_workers_are_counted_by_what_a_worker_may_see(
    database_url: str, services: Services
) -> None:
    """The query of the queue runs in the worker's role, and counts what waits."""
    [scaled] = of_kind("ScaledObject")
    [trigger] = scaled["spec"]["triggers"]
    assert scaled["spec"]["minReplicaCount"] >= 1, "one sweeps"
    connection = await asyncpg.connect(database_as(Access.WORKER, database_url, services))
    try:
        assert await connection.fetchval(trigger["metadata"]["query"]) == 0
    finally:
        await connection.close()
