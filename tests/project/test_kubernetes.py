"""The pod of a run on Kubernetes, rendered by Airflow and validated offline.

These tests need no cluster, so they cannot show that a pod runs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.cases import cases
from support.programs import finish, output

from demo.airflow.machine import checkout
from demo.environments import installed
from demo.meltano import ROOT, environment

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]

WORKSPACES = """
plugins:
  extractors:
  - name: tap-leads--acme
    inherit_from: tap-leads
    annotations:
      airflow:
        executor_config:
          pod_override:
            spec:
              containers:
              - name: base
                resources: {limits: {memory: 3Gi}}
"""


def program(name: str) -> Path:
    """A program of the environment for Kubernetes."""
    return installed("airflow-kubernetes") / name


@pytest.fixture(scope="module")
def pod_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pod that Airflow would start."""
    folder = tmp_path_factory.mktemp("kubernetes")
    project = checkout(folder / "project", WORKSPACES)
    env = environment() | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "orchestrate/dags"),
        "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(ROOT / "orchestrate/pod.yaml"),
    }
    output(program("airflow"), "db", "migrate", env=env)
    generate = (
        "kubernetes generate-dag-yaml tap-leads--acme --logical-date 2026-01-02 --output-path"
    )
    output(program("airflow"), *generate.split(), folder / "pods", env=env)
    [file] = (folder / "pods").rglob("*.yml")
    return file


@pytest.fixture(scope="module")
def pod(pod_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(pod_file.read_text())
    return content


def test_the_pod_is_valid_and_holds_no_token(pod_file: Path) -> None:
    output(program("kubernetes-validate"), "--strict", pod_file)
    assert "ACCESS_TOKEN" not in pod_file.read_text()


def test_the_pod_does_not_run_as_root_and_has_one_writable_folder(pod: dict[str, Any]) -> None:
    [container] = pod["spec"]["containers"]
    assert "airflow.sdk.execution_time.execute_workload" in container["args"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108 - a folder of the pod
    assert pod["spec"]["restartPolicy"] == "Never"


def test_an_entrys_pod_override_reaches_the_pod(pod: dict[str, Any]) -> None:
    [container] = pod["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "3Gi"


@cases("x", "{spec: {}}")
def test_the_check_names_an_entry_that_is_no_pod(wrong: str, tmp_path: Path) -> None:
    listed = tmp_path / "workspaces.meltano.yml"
    config = f"executor_config: {{pod_override: {wrong}}}"
    listed.write_text(
        "plugins:\n  extractors:\n"
        f"  - {{name: tap-leads--bad, inherit_from: x, annotations: {{airflow: {{{config}}}}}}}\n"
    )
    done = finish(program("python"), "-m", "orchestrate.check", listed)
    assert done.returncode == 1
    assert "tap-leads--bad: " in done.stderr
    assert "0 right, 1 wrong" in done.stdout


def test_the_dockerfile_copies_what_exists_and_does_not_run_as_root() -> None:
    """The image itself is built in a weekly workflow."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [
        source
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    [user] = [line for line in lines if line.startswith("USER ")]
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", user)
