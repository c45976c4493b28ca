"""What lies in `deploy/` is what its readers take: Dagster, Celery, Compose, systemd, and Dagster's chart."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._config import validate_config
from dagster_k8s.launcher import K8sRunLauncher

from talk_pipeline.dagster.celery_launcher import CeleryLauncher
from talk_pipeline.dagster.celery_worker import app
from talk_pipeline_tests.scale.rig import ROOT
from talk_pipeline_tests.scale.servers import Postgres, Redis

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")


def read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return read


def test_an_instance_opens_with_the_settings(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = Postgres()
    postgres.start()
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    url = f"postgresql+psycopg2://dagster@127.0.0.1:{postgres.port}/postgres"
    for name, value in (
        ("DAGSTER_HOME", str(home)),
        ("TALK_POSTGRES_URL", url),
        ("CELERY_BROKER_URL", redis.url),
    ):
        monkeypatch.setenv(name, value)
    try:
        with dg.DagsterInstance.get() as instance:
            assert isinstance(instance.run_launcher, CeleryLauncher)
            assert instance.run_launcher.supports_check_run_worker_health
            assert instance.get_runs() == []
            assert instance.run_monitoring_enabled
            assert instance.run_retries_enabled
            assert not instance.run_retries_retry_on_asset_or_op_failure
            assert not instance.telemetry_enabled
    finally:
        postgres.remove()


def test_launcher_and_worker_hand_nothing_out_twice_within_a_day() -> None:
    launcher = read("dagster.yaml")["run_launcher"]["config"]["config_source"]
    longest = read("dagster.yaml")["run_monitoring"]["max_runtime_seconds"]
    for options in (launcher["broker_transport_options"], app.conf.broker_transport_options):
        assert options["visibility_timeout"] > longest


def test_compose_reads_its_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    services = read("compose.yaml")["services"]
    assert [name for name, service in services.items() if "healthcheck" not in service] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
def test_systemd_reads_its_units(unit: Path, tmp_path: Path) -> None:
    """Where everything is where the units say; nothing here is started."""
    placed = tmp_path / unit.name.replace("@", "@north")
    text = unit.read_text()
    placed.write_text(re.sub(r"(?<=ExecStart=)\S+", sys.executable, text))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(placed)], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if placed.name in line]
    assert (done.returncode, told) == (0, [])
    (program,) = re.findall(r"ExecStart=/srv/talk_pipeline/.venv/bin/(\S+)", text)
    assert (Path(sys.executable).parent / program).exists()


def test_the_launcher_of_the_chart_takes_what_the_values_say() -> None:
    """The chart hands these keys to Dagster in their other spelling."""
    said = read("kubernetes/values.yaml")["runLauncher"]["config"]["k8sRunLauncher"]
    config = {
        "job_image": "talk_pipeline:0.1.0",
        "instance_config_map": "talk",
        "service_account_name": "talk",
        "dagster_home": "/opt/dagster/dagster_home",
        "postgres_password_secret": "talk-postgresql",
        "env_secrets": [one["name"] for one in said["envSecrets"]],
        "run_k8s_config": {
            _SNAKE.sub("_", key).lower(): _snaked(value) for key, value in said["runK8sConfig"].items()
        },
    }
    launcher: Any = K8sRunLauncher
    checked = validate_config(launcher.config_type(), config)
    assert checked.success, checked.errors


def _snaked(value: Any) -> Any:
    if isinstance(value, dict):
        return {_SNAKE.sub("_", key).lower(): _snaked(inner) for key, inner in value.items()}
    return value


def test_manifests_are_of_kinds_that_kubernetes_knows() -> None:
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "data.yaml").read_text()))
    assert [one["kind"] for one in found] == ["PersistentVolumeClaim", "Secret"]
    named = json.dumps(read("kubernetes/values.yaml"))
    assert all(one["metadata"]["name"] in named for one in found)
