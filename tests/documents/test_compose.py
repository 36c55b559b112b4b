"""docker-compose.yml without an engine: its form, and that all it names is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from bluegreen.admin.service_file import read_service_file
from bluegreen.app.cli import main
from bluegreen.app.demo.application import parse
from bluegreen.migrations.migration_directory import look_into

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return read


def test_it_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_path_that_it_mounts_or_builds_from_exists(services: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume.startswith(".")
    ]
    built = [service["build"]["dockerfile"] for service in services.values() if "build" in service]

    assert mounted
    assert built
    assert [path for path in (*mounted, *built) if not (ROOT / path).exists()] == []


def test_everything_that_the_image_copies_exists() -> None:
    lines = (ROOT / "docker/Dockerfile").read_text().splitlines()
    copied = [source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]]
    kept = (ROOT / "docker/Dockerfile.dockerignore").read_text().splitlines()

    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [path for path in copied if f"!{path}" not in kept] == []


def test_ports_are_published_on_the_loopback_interface_alone(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]

    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_images_of_others_are_pinned(services: dict[str, Any]) -> None:
    images = {service["image"] for service in services.values()} - {"bluegreen"}

    assert [image for image in images if not image.partition(":")[2].lstrip("v")[:1].isdigit()] == []


def test_the_control_plane_understands_its_flags(services: dict[str, Any]) -> None:
    program, verb, *arguments = services["bluegreen"]["command"]
    assert program == "bluegreen"
    assert isinstance(main, click.Group)

    # What a container mounts stands elsewhere here.
    mounts = dict(volume.split(":")[1::-1] for volume in services["bluegreen"]["volumes"])
    for inside, outside in mounts.items():
        arguments = [each.replace(inside, str(ROOT / outside)) for each in arguments]

    context = click.Context(main, info_name=program)
    command = main.get_command(context, verb)
    assert command is not None
    # Reads and checks every flag, without running the verb.
    with command.make_context(verb, arguments, parent=context) as parsed:
        assert str(parsed.params["xds_listen"]) == "0.0.0.0:18000"  # inside the compose network


@pytest.mark.parametrize("environment", ["blue", "green"])
def test_the_demo_application_understands_its_flags(services: dict[str, Any], environment: str) -> None:
    python, module, name, *arguments = services[environment]["command"]

    assert (python, module, name) == ("python", "-m", "bluegreen.app.demo.application")
    assert parse(arguments).environment == environment


def test_the_service_file_names_parts_of_the_compose_network(services: dict[str, Any]) -> None:
    catalogue = read_service_file((ROOT / "docker/services.yaml").read_text())

    for service in catalogue.services.values():
        for environment, endpoints in service.endpoints.items():
            for endpoint in endpoints:
                options = parse(services[endpoint.host]["command"][3:])
                assert (options.environment, options.port) == (environment.value, endpoint.port)


def test_what_the_gateways_listen_on_is_published(services: dict[str, Any]) -> None:
    catalogue = read_service_file((ROOT / "docker/services.yaml").read_text())

    for name, gateway in catalogue.gateways.items():
        inside = {port.rpartition(":")[2] for port in services[name]["ports"]}
        assert inside == {str(gateway.listen.port), str(gateway.preview.port)}


def test_the_proxies_bootstraps_lead_to_the_control_plane(services: dict[str, Any]) -> None:
    for name in ("edge", "sidecar"):
        (volume,) = services[name]["volumes"]
        bootstrap = yaml.safe_load((ROOT / volume.split(":")[0]).read_text())
        (cluster,) = bootstrap["static_resources"]["clusters"]
        (endpoints,) = cluster["load_assignment"]["endpoints"]
        address = endpoints["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]

        assert bootstrap["node"]["cluster"] == name
        assert address["address"] in services
        assert f"--xds-listen=0.0.0.0:{address['port_value']}" in services[address["address"]]["command"]


def test_prometheus_scrapes_the_control_plane(services: dict[str, Any]) -> None:
    config = yaml.safe_load((ROOT / "docker/prometheus.yml").read_text())
    (target,) = config["scrape_configs"][0]["static_configs"][0]["targets"]
    host, _, port = target.rpartition(":")

    assert f"--http-listen=0.0.0.0:{port}" in services[host]["command"]


def test_both_versions_and_the_control_plane_share_the_database(services: dict[str, Any]) -> None:
    (database,) = {
        service.database.url.value
        for service in read_service_file((ROOT / "docker/services.yaml").read_text()).services.values()
        if service.database is not None
    }
    words = {key: str(value) for key, value in conninfo_to_dict(database).items()}
    server = services[words["host"]]

    assert server["environment"] == {"POSTGRES_PASSWORD": words["password"]}  # of postgres, in postgres
    assert words["user"] == words["dbname"] == "postgres"
    assert "ports" not in server
    assert server["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    for name in ("bluegreen", "blue", "green"):
        assert services[name]["depends_on"][words["host"]] == {"condition": "service_healthy"}
    for name in ("blue", "green"):
        assert parse(services[name]["command"][3:]).database == database


@pytest.mark.parametrize(("version", "environment"), [("v1", "blue"), ("v2", "green")])
async def test_each_version_finds_its_migrations(
    services: dict[str, Any], version: str, environment: str
) -> None:
    shop = read_service_file((ROOT / "docker/services.yaml").read_text()).services["shop"]
    assert shop.database is not None
    inside = shop.database.migrations.replace("{version}", version)
    (place,) = [
        volume.split(":")
        for volume in services["bluegreen"]["volumes"]
        if volume.split(":")[1].startswith(inside)
    ]
    options = parse(services[environment]["command"][3:])
    assert options.version == version

    # A file is mounted into the directory, or the directory itself.
    read = look_into(ROOT / place[0]) if place[1] == inside else look_into((ROOT / place[0]).parent)
    names = {f"{file.path.name}" for file in read.files if place[1] in (inside, f"{inside}/{file.path.name}")}
    assert "0001_people.expand.sql" in names
    assert options.halves is ("0002_split_name.expand.sql" in names)
