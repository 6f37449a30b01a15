"""The Helm chart is rendered with several sets of values, and everything that comes out is checked.

Helm's own library renders and lints; the strict schemas of Kubernetes, the models of the Prometheus operator and checkov's policies are asked
(`chart_tools.py`, in an environment of its own). What they cannot know is checked here: that commands, settings, probes and ports are Auria's, and that
what an object names is there. Nothing is installed: no cluster is needed, and none was tried.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from auria_bot.cli.app import COMMANDS
from auria_bot.errors import SettingsError
from auria_bot.settings.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CHART", "Rendered", "problems", "render", "tools", "value_sets"]

ROOT = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "deploy" / "chart"

_ANSWERED: Final = {
    ("daemon", 8610): {"/healthz", "/metrics"},
    ("web", 8620): {"/robots.txt"},
    ("web", 8621): {"/healthz", "/metrics"},
    ("serve", 8630): {"/healthz", "/readyz", "/metrics"},
    ("ray", 8630): {"/-/healthz"},
    ("ray", 52365): {"/api/local_raylet_healthz"},
}
"""Which paths each command answers at which port; see HealthServer, the web site, the model server, and Ray."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What one set of values gives."""

    documents: list[Document]
    wrong: list[str]  # found by lint, schemas and policies


def tools() -> Path | None:
    """The interpreter of the environment with Helm's library; None where it was not installed."""
    found = ROOT / ".venv-chart" / "bin" / "python"
    return found if found.is_file() else None


def value_sets() -> list[Path]:
    """The files of values that are tried."""
    return sorted((CHART / "ci").glob("*-values.yaml"))


def render(python: Path, files: Sequence[Path], *, chart: Path = CHART) -> tuple[str, dict[str, Rendered]]:
    """Helm's version, and what each set of values gives.

    Raises:
        RuntimeError: the chart cannot be rendered.
    """
    command = [str(python), "-P", str(Path(__file__).with_name("chart_tools.py")), str(chart), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])
    found = json.loads(done.stdout)
    rendered = {
        name: Rendered(documents=one["documents"], wrong=[*one["lint"], *one["schemas"], *one["policies"]])
        for name, one in found["sets"].items()
    }
    return found["helm"], rendered


def problems(documents: Sequence[Document]) -> list[str]:
    """What is wrong with rendered objects that no schema can know."""
    found = [
        f"{document['metadata']['name']}: {wrong}"
        for document in documents
        for template in _templates(document)
        for wrong in _pod_problems(template["spec"], documents)
    ]
    return found + [
        f"{document['kind']} {document['metadata']['name']}: {wrong}"
        for document in documents
        for wrong in _reference_problems(document, documents)
    ]


def _templates(document: Document) -> list[Document]:
    """The templates of an object's pods."""
    if document["kind"] == "Deployment":
        return [document["spec"]["template"]]
    if document["kind"] == "RayService":
        cluster = document["spec"]["rayClusterConfig"]
        return [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
    return []


def _pod_problems(spec: Document, documents: Sequence[Document]) -> Iterator[str]:
    if not spec["securityContext"].get("runAsNonRoot") or not spec["securityContext"].get("runAsUser"):
        yield "it may run as root"
    if spec.get("automountServiceAccountToken") is not False:
        yield "it mounts a token of the cluster"
    for container in spec["containers"]:
        yield from _container_problems(container)
        try:
            load(environment(container, documents))
        except SettingsError as error:
            yield f"its settings are refused: {error}"


def _container_problems(container: Document) -> Iterator[str]:
    kept = container.get("securityContext", {})
    if not kept.get("readOnlyRootFilesystem") or kept.get("allowPrivilegeEscalation") is not False:
        yield "its root file system can be written, or it may gain privileges"
    if kept.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "it keeps capabilities"
    amounts = container.get("resources", {})
    for kind in ("requests", "limits"):
        if missing := {"cpu", "memory"} - set(amounts.get(kind, {})):
            yield f"it has no {kind} of {' and '.join(sorted(missing))}"
    command = container.get("args", ["ray"])[0]  # KubeRay adds the arguments of Ray's containers
    if command not in COMMANDS and "args" in container:
        yield f"there is no command {command!r}"
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container.get(kind, {}).get("httpGet")
        if asked is None:
            yield f"it has no {kind}"
        elif asked["path"] not in _ANSWERED.get((command, ports.get(asked["port"], asked["port"])), set()):
            yield f"its {kind} asks for {asked['path']} at {asked['port']}, which {command} does not answer"
    if re.search(r":latest$|^[^:@]+$", container["image"]):
        yield "its image has no version"


def environment(container: Document, documents: Sequence[Document]) -> dict[str, str]:
    """The AURIA_ variables of a container; secrets have a value that fits, settings come from a file of their own."""
    found = {"AURIA_HOME": "/auria"}
    for variable in container["env"]:
        if not variable["name"].startswith("AURIA_") or variable["name"] == "AURIA_CONFIG":
            continue
        found[variable["name"]] = variable.get("value", "postgresql://auria:secret@postgres/auria")
    for document in documents:
        if "auria.toml" in document.get("data", {}):
            found |= _variables(tomllib.loads(document["data"]["auria.toml"]), "AURIA")
    return found


def _variables(values: Mapping[str, Any], above: str) -> dict[str, str]:
    """Settings as environment variables."""
    found = dict[str, str]()
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _variables(value, f"{above}{'_' if above == 'AURIA' else '__'}{name.upper()}")
        else:
            found[f"{above}{'_' if above == 'AURIA' else '__'}{name.upper()}"] = (
                str(value).lower() if isinstance(value, bool) else str(value)
            )
    return found


def _reference_problems(document: Document, documents: Sequence[Document]) -> Iterator[str]:
    spec, kind = document.get("spec", {}), document["kind"]
    labels_of_pods = [template["metadata"]["labels"] for one in documents for template in _templates(one)]
    scaled = {one["metadata"]["name"] for one in documents if one["kind"] == "Deployment"}
    selector = {
        "Service": spec.get("selector"),
        "PodDisruptionBudget": spec.get("selector", {}).get("matchLabels"),
        "NetworkPolicy": spec.get("podSelector", {}).get("matchLabels"),
        "Deployment": spec.get("selector", {}).get("matchLabels"),
    }.get(kind)
    if selector is not None and not any(selector.items() <= labels.items() for labels in labels_of_pods):
        yield "it selects no pod"
    if kind == "HorizontalPodAutoscaler" and spec["scaleTargetRef"]["name"] not in scaled:
        yield "it scales nothing"
    services = {one["metadata"]["name"]: one for one in documents if one["kind"] == "Service"}
    for one in documents:
        if one["kind"] == "RayService":
            services[one["spec"]["serveService"]["metadata"]["name"]] = one["spec"]["serveService"]
    if kind == "RayService":
        yield from _serve_problems(document)
    if kind == "Ingress":
        for rule in spec["rules"]:
            for path in rule["http"]["paths"]:
                target = path["backend"]["service"]
                known = services.get(target["name"], {"spec": {"ports": []}})["spec"]["ports"]
                if target["port"]["name"] not in {port["name"] for port in known}:
                    yield f"it leads to {target['name']}, which has no such port"
    if kind == "ServiceMonitor":
        wanted = spec["selector"]["matchLabels"].items()
        chosen = [one for one in services.values() if wanted <= one["metadata"]["labels"].items()]
        for endpoint in spec["endpoints"]:
            if not any(endpoint["port"] in {port["name"] for port in one["spec"]["ports"]} for one in chosen):
                yield f"no service has the port {endpoint['port']}"
    if kind == "NetworkPolicy":
        yield from _policy_problems(document, documents)


def _serve_problems(document: Document) -> Iterator[str]:
    """The configuration of Serve names a function that is there, and listens where the service leads."""
    config = yaml.safe_load(document["spec"]["serveConfigV2"])
    (application,) = config["applications"]
    module, _, name = application["import_path"].partition(":")
    if not callable(getattr(import_module(module), name, None)):
        yield f"there is no {application['import_path']}"
    leads = {port["port"] for port in document["spec"]["serveService"]["spec"]["ports"]}
    if {config["http_options"]["port"]} != leads:
        yield f"Serve listens at {config['http_options']['port']}, its service leads to {sorted(leads)}"


def _policy_problems(policy: Document, documents: Sequence[Document]) -> Iterator[str]:
    """A policy lets in exactly what the pod's ports are."""
    wanted = policy["spec"]["podSelector"]["matchLabels"].items()
    rules = policy["spec"]["ingress"]
    among_themselves = any("ports" not in rule for rule in rules)
    let_in = {port["port"] for rule in rules for port in rule.get("ports", [])}
    for document in documents:
        chosen = [one for one in _templates(document) if wanted <= one["metadata"]["labels"].items()]
        if chosen:
            containers = [container for one in chosen for container in one["spec"]["containers"]]
            ports = {port["containerPort"] for container in containers for port in container["ports"]}
            if not (let_in <= ports and (among_themselves or let_in == ports)):
                yield f"it lets in {sorted(let_in)}, while the pod listens at {sorted(ports)}"
