"""What Helm and the checkers of Kubernetes say about the chart: a program for the environment .venv-chart.

`python chart_tools.py CHART VALUES...` prints, as JSON, for each file of values the findings of Helm's lint, what it renders, and what the
schemas of Kubernetes (strict: an unknown field is an error) and of the Prometheus operator, and checkov's policies find wrong.
It imports nothing of the repository: the environment holds nothing else. Rendered by Helm's own library (Helm 4), without a cluster.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

SKIPPED: Final = {
    "CKV_K8S_15": "a tag that is never moved, or a digest, need not be pulled at each start",
    "CKV_K8S_35": "settings come from the environment; secrets as files are a channel's own, in the home",
    "CKV_K8S_40": "the image's user is 1000, to whom existing volumes belong",
    "CKV_K8S_43": "whether a digest is given is the operator's value",
}
"""Policies of checkov that are left out, and why."""

OLDEST, NEWEST = "1.27", "1.37"
"""Versions of Kubernetes whose schemas are asked."""


def main(chart: Path, files: list[Path]) -> dict[str, Any]:
    """Everything that is found, by the name of the file of values."""
    import helm_python as helm
    import yaml

    found: dict[str, Any] = {"helm": helm.helm_sdk_version(), "sets": {}}
    with _silenced():
        for file in files:
            values = yaml.safe_load(file.read_text(encoding="utf-8"))
            lint = helm.lint(chart, values, strict=True, kube_version=f"v{OLDEST}.0")
            with helm.Chart.load(chart) as loaded:
                texts = loaded.render(values, name="auria", namespace="art")
            documents = [
                document
                for name, text in sorted(texts.items())
                if name.endswith(".yaml")
                for document in yaml.safe_load_all(text)
                if document
            ]
            found["sets"][file.name] = {
                "lint": [f"{one['path']}: {one['error']}" for one in lint["messages"] if one["severity"] > 1]
                + lint["errors"],
                "documents": documents,
                "schemas": [wrong for document in plain(documents) for wrong in schema_errors(document)],
                "policies": policy_failures(plain(documents)),
            }
    return found


def plain(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects with the pods and the service of a RayService in its place, of whose own kind there is no schema here."""
    found = []
    for document in documents:
        if document["kind"] != "RayService":
            found.append(document)
            continue
        cluster, name = document["spec"]["rayClusterConfig"], document["metadata"]["name"]
        for number, group in enumerate((cluster["headGroupSpec"], *cluster["workerGroupSpecs"])):
            template = group["template"]
            about = {"name": f"{name}-{number}", "namespace": document["metadata"]["namespace"], **template["metadata"]}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": template["spec"]})
        service = document["spec"]["serveService"]
        about = {"namespace": document["metadata"]["namespace"], **service["metadata"]}
        found.append({"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": service["spec"]})
    return found


@contextlib.contextmanager
def _silenced() -> Any:
    """Helm's library writes its log to the process's stderr."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nothing)
        os.close(kept)


def schema_errors(document: dict[str, Any]) -> list[str]:
    """What the schemas find wrong in a rendered object."""
    import kubernetes_validate
    from cloudcoil.models.prometheus_operator import v1 as operator

    name = f"{document['kind']} {document['metadata']['name']}"
    if document["apiVersion"] == "monitoring.coreos.com/v1":
        try:
            model = getattr(operator, document["kind"]).model_validate(document)
        except ValueError as error:
            return [f"{name}: {error}"]
        known = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return [f"{name}: unknown field {path}" for path in unknown_fields(document, known)]
    errors = []
    for version in (OLDEST, NEWEST):
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            errors.append(f"{name} ({version}): {getattr(error, 'message', error)}")
    return errors


def unknown_fields(given: Any, known: Any, path: str = "") -> list[str]:
    """The fields that a model dropped."""
    if isinstance(given, dict) and isinstance(known, dict):
        missing = [f"{path}.{name}" for name in given if name not in known]
        return missing + [
            wrong
            for name in given
            if name in known
            for wrong in unknown_fields(given[name], known[name], f"{path}.{name}")
        ]
    if isinstance(given, list) and isinstance(known, list):
        return [
            wrong
            for at, (one, other) in enumerate(zip(given, known, strict=False))
            for wrong in unknown_fields(one, other, f"{path}[{at}]")
        ]
    return []


def policy_failures(documents: list[dict[str, Any]]) -> list[str]:
    """What checkov's policies for Kubernetes find wrong."""
    import yaml

    with tempfile.TemporaryDirectory(prefix="auria-chart-") as folder:
        (Path(folder) / "all.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        command = ["checkov", "-d", folder, "--framework", "kubernetes", "--quiet", "--compact", "-o", "json"]
        command += ["--skip-check", ",".join(SKIPPED), "--skip-download"]
        program = Path(sys.executable).parent / command[0]
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return [f"checkov failed: {(done.stderr or done.stdout)[-300:]}"]
    if not report.get("summary", {}).get("passed"):
        return ["checkov examined nothing"]
    failed = report["results"]["failed_checks"]
    return [f"{one['check_id']} {one['check_name']}: {one['resource']}" for one in failed]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])))
