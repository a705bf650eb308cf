"""The pod of a run on Kubernetes, rendered by Airflow and validated offline.

These tests need no cluster, so they cannot show that a pod runs.
"""

from __future__ import annotations

import re
from pathlib import Path

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
    annotations: {airflow: {executor_config: {pod_override: POD}}}
"""
POD = "{spec: {containers: [{name: base, resources: {limits: {memory: 3Gi}}}]}}"


def program(name: str) -> Path:
    """A program of the environment for Kubernetes."""
    return installed("airflow-kubernetes") / name


def test_the_pod_is_valid_has_one_writable_folder_and_does_not_run_as_root(tmp_path: Path) -> None:
    """It holds no token, and the `pod_override` of the entry reaches it."""
    project = checkout(tmp_path / "project", WORKSPACES.replace("POD", POD))
    env = environment() | {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "orchestrate/dags"),
        "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(ROOT / "orchestrate/pod.yaml"),
    }
    output(program("airflow"), "db", "migrate", env=env)
    arguments = "generate-dag-yaml tap-leads--acme --logical-date 2026-01-02 --output-path pods"
    output(program("airflow"), "kubernetes", *arguments.split(), cwd=tmp_path, env=env)
    [pod_file] = (tmp_path / "pods").rglob("*.yml")
    output(program("kubernetes-validate"), "--strict", pod_file)
    text = pod_file.read_text()
    assert "ACCESS_TOKEN" not in text
    spec = yaml.safe_load(text)["spec"]
    [container] = spec["containers"]
    assert "airflow.sdk.execution_time.execute_workload" in container["args"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108 - a folder of the pod
    assert spec["restartPolicy"] == "Never"
    assert container["resources"]["limits"]["memory"] == "3Gi"


@cases("x", "{spec: {}}")
def test_the_check_names_an_entry_that_is_no_pod(wrong: str, tmp_path: Path) -> None:
    listed = tmp_path / "workspaces.meltano.yml"
    listed.write_text(WORKSPACES.replace("POD", wrong))
    done = finish(program("python"), "-m", "orchestrate.check", listed)
    assert done.returncode == 1
    assert "tap-leads--acme: " in done.stderr
    assert "0 right, 1 wrong" in done.stdout


def test_the_dockerfile_copies_what_exists_and_does_not_run_as_root() -> None:
    """The image itself is built in a weekly workflow."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copies = [line.split() for line in lines if re.match("COPY (?!--from)", line)]
    copied = {source for _, *sources, _ in copies for source in sources}
    assert copied
    assert {source for source in copied if not (ROOT / source).exists()} == set()
    [user] = [line for line in lines if line.startswith("USER ")]
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", user)
