"""What is checked of rendered objects: each fault is found."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.scenarios.chart import problems

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = {"app": "auria", "part": "serve"}
PROBE = {"httpGet": {"path": "/readyz", "port": "http"}}
POD: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "serve"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
                "containers": [
                    {
                        "image": "auria:1",
                        "args": ["serve"],
                        "env": [{"name": "AURIA_CAPTIONS__SERVER", "value": "0.0.0.0:8630"}],
                        "ports": [{"name": "http", "containerPort": 8630}],
                        "securityContext": {
                            "readOnlyRootFilesystem": True,
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "resources": {
                            "requests": {"cpu": "1", "memory": "1Gi"},
                            "limits": {"cpu": "1", "memory": "1Gi"},
                        },
                        "startupProbe": PROBE,
                        "livenessProbe": PROBE,
                        "readinessProbe": PROBE,
                    }
                ],
            },
        },
    },
}
SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "serve", "labels": LABELS},
    "spec": {"selector": LABELS, "ports": [{"name": "http", "port": 8630}]},
}
POLICY: dict[str, Any] = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "serve"},
    "spec": {"podSelector": {"matchLabels": LABELS}, "ingress": [{"ports": [{"port": 8630}]}]},
}


def test_objects_that_fit_together_have_no_problems():
    """A pod, its service and its policy."""
    assert problems([POD, SERVICE, POLICY]) == []


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pod: pod["spec"]["template"]["spec"].update(securityContext={}), "may run as root"),
        (lambda pod: pod["spec"]["template"]["spec"].pop("automountServiceAccountToken"), "mounts a token"),
        (lambda pod: _container(pod).update(args=["server"]), "there is no command 'server'"),
        (lambda pod: _container(pod).pop("livenessProbe"), "has no livenessProbe"),
        (
            lambda pod: _container(pod).update(startupProbe={"httpGet": {"path": "/", "port": "http"}}),
            "which serve does not answer",
        ),
        (lambda pod: _container(pod)["resources"].pop("limits"), "no limits of cpu and memory"),
        (lambda pod: _container(pod)["securityContext"].pop("capabilities"), "keeps capabilities"),
        (lambda pod: _container(pod)["securityContext"].pop("readOnlyRootFilesystem"), "can be written"),
        (lambda pod: _container(pod).update(image="auria"), "has no version"),
        (lambda pod: _container(pod)["env"][0].update(value="8630"), "its settings are refused"),
        (lambda pod: _container(pod)["ports"].append({"name": "m", "containerPort": 9}), "while the pod listens at"),
    ],
)
def test_each_fault_of_a_pod_is_found(change: Callable[[dict[str, Any]], object], said: str):
    """Root, a token, a command, probe or setting that is not Auria's, no limits, capabilities, an unversioned image."""
    pod = copy.deepcopy(POD)
    change(pod)
    assert said in "\n".join(problems([pod, SERVICE, POLICY]))


def _ray(**spec: Any) -> dict[str, Any]:
    """A RayService whose head is the pod above, with Ray's probes."""
    template = copy.deepcopy(POD["spec"]["template"])
    container = template["spec"]["containers"][0]
    del container["args"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        container[probe] = {"httpGet": {"path": "/api/local_raylet_healthz", "port": 52365}}
    config = "applications: [{import_path: 'auria_bot.bootstrap.captions:model_server'}]\nhttp_options: {port: 8630}\n"
    service = {"metadata": {"name": "serve", "labels": LABELS}, "spec": {"ports": [{"name": "serve", "port": 8630}]}}
    cluster = {"headGroupSpec": {"template": template}, "workerGroupSpecs": []}
    found = {"rayClusterConfig": cluster, "serveConfigV2": config, "serveService": service}
    return {"kind": "RayService", "metadata": {"name": "serve"}, "spec": found | spec}


def test_the_pods_of_a_ray_cluster_are_checked_too():
    """As those of a deployment; and that Serve is told what is there, and listens where its service leads."""
    assert problems([_ray(), POLICY]) == []
    rooted = _ray()
    rooted["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["securityContext"] = {}
    assert "serve: it may run as root" in problems([rooted, POLICY])
    wrong = "applications: [{import_path: 'auria_bot.bootstrap.captions:models'}]\nhttp_options: {port: 8000}\n"
    found = "\n".join(problems([_ray(serveConfigV2=wrong), POLICY]))
    for said in (
        "there is no auria_bot.bootstrap.captions:models",
        "Serve listens at 8000, its service leads to [8630]",
    ):
        assert said in found


def test_what_leads_nowhere_is_found():
    """An ingress to a port that a service lacks, a monitor without a service, a scaler without a pod, a service without pods."""
    backend = {"service": {"name": "serve", "port": {"name": "web"}}}
    ingress = {"rules": [{"http": {"paths": [{"backend": backend}]}}]}
    others = [
        {"kind": "Ingress", "metadata": {"name": "a"}, "spec": ingress},
        {
            "kind": "ServiceMonitor",
            "metadata": {"name": "b"},
            "spec": {"selector": {"matchLabels": {"app": "x"}}, "endpoints": [{"port": "http"}]},
        },
        {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "c"}, "spec": {"scaleTargetRef": {"name": "x"}}},
        {"kind": "Service", "metadata": {"name": "d", "labels": {}}, "spec": {"selector": {"app": "x"}, "ports": []}},
    ]
    found = "\n".join(problems([POD, SERVICE, *others]))
    for said in (
        "Ingress a: it leads to serve",
        "ServiceMonitor b: no service",
        "c: it scales nothing",
        "d: it selects no pod",
    ):
        assert said in found
