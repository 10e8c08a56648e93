"""docker-compose.yml and the Dockerfile, as far as they can be checked without a container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tertulia import settings
from turn.config import render

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
EXAMPLE = dict(re.findall(r"^(?:# )?([A-Z_]+)=(\S*)", (ROOT / "deploy" / "example.env").read_text(), re.MULTILINE))


def substitute(text: str, values: dict[str, str]) -> str:
    """Compose's substitution: ${NAME}, ${NAME:-default} (which may hold another), ${NAME:?message}."""

    def replace(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        return values.get(name) or (substitute(default, values) if default else "")

    return re.sub(r"\$\{(\w+)(?::-((?:[^{}]|\$\{\w+\})*)|:\?[^}]*)?\}", replace, text)


def test_the_services_are_the_program_and_what_it_needs() -> None:
    assert {"tertulia", "postgres", "redis", "coturn", "nginx"} <= COMPOSE["services"].keys()


def test_what_is_mounted_exists() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = substitute(volume, {}).split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), volume
            elif not source.startswith("/"):
                assert source in COMPOSE["volumes"], volume


def test_every_setting_is_one_and_they_make_a_server() -> None:
    values = {name: value or "0123456789abcdef" * 4 for name, value in EXAMPLE.items()}
    values["CERTIFICATES"] = "/certificates"
    environment = {
        name: substitute(value, values) for name, value in COMPOSE["services"]["tertulia"]["environment"].items()
    }
    loaded = settings.load(environ=environment)
    assert not loaded.development
    assert loaded.database_dsn.endswith("@postgres/tertulia")
    text = render(loaded)
    assert f"static-auth-secret={values['TURN_SECRET']}" in text
    assert f"listening-ip={values['TURN_LISTEN']}" in text
    assert COMPOSE["services"]["turn-config"]["environment"] == COMPOSE["services"]["tertulia"]["environment"]


def test_every_variable_is_explained_in_the_example() -> None:
    names = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert names == EXAMPLE.keys()


def test_nginx_gets_every_variable_of_its_template() -> None:
    service = COMPOSE["services"]["nginx"]
    [mounted] = [volume for volume in service["volumes"] if "template" in volume]
    names = set(re.findall(r"\$\{(\w+)\}", (ROOT / mounted.split(":")[0]).read_text()))
    assert names == service["environment"].keys()


def test_published_ports_are_those_of_the_settings() -> None:
    defaults = settings.Settings()
    assert COMPOSE["services"]["tertulia"]["ports"] == [f"{defaults.media_port}:{defaults.media_port}/udp"]
    assert COMPOSE["services"]["nginx"]["environment"]["UPSTREAM"] == f"tertulia:{defaults.http_port}"


def test_what_the_dockerfile_copies_and_sets_exists() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), line
    names = {name.removeprefix("TERTULIA_").lower() for name in re.findall(r"\b(TERTULIA_\w+)=", text)}
    assert names <= {row.name for row in settings.table()}
