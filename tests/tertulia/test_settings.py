"""Settings: sources, conversions, and sentences that name what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tertulia import settings
from tertulia.settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
SECRET = "0123456789abcdef0123456789abcdef"


def test_defaults_are_development_on_localhost() -> None:
    loaded = settings.load(environ={})
    assert loaded.development
    assert (loaded.http_host, loaded.http_port, loaded.media_port) == ("127.0.0.1", 8080, 7882)
    assert loaded.base_url == "http://localhost:8080"


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    path = tmp_path / "tertulia.toml"
    path.write_text(
        'http_port = 9000\nmedia_port = 9001\nmedia_addresses = ["192.0.2.7"]\n[api_keys]\nsite = "0123456789abcdef"\n'
    )
    loaded = settings.load(path, {"TERTULIA_HTTP_PORT": "9100"})
    assert (loaded.http_port, loaded.media_port) == (9100, 9001)
    assert loaded.media_addresses == ("192.0.2.7",)
    assert loaded.api_keys == {"site": "0123456789abcdef"}


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "tertulia.toml"
    path.write_text("room_capacity = 7")
    assert settings.load(environ={"TERTULIA_CONFIG": str(path)}).room_capacity == 7


def test_variables_hold_lists_tables_and_switches() -> None:
    loaded = settings.load(
        environ={
            "TERTULIA_MEDIA_ADDRESSES": "192.0.2.7, 2001:db8::7",
            "TERTULIA_API_KEYS": "a=0123456789abcdef,b=fedcba9876543210==",
            "TERTULIA_GUESTS": "no",
        }
    )
    assert loaded.media_addresses == ("192.0.2.7", "2001:db8::7")
    assert loaded.api_keys == {"a": "0123456789abcdef", "b": "fedcba9876543210=="}
    assert loaded.guests is False


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TERTULIA_HTTP_PORT": "70000"}, "TERTULIA_HTTP_PORT"),
        ({"TERTULIA_HTTP_PORT": "http"}, "TERTULIA_HTTP_PORT"),
        ({"TERTULIA_HTP_PORT": "8080"}, "no setting TERTULIA_HTP_PORT"),
        ({"TERTULIA_GUESTS": "perhaps"}, "true or false"),
        ({"TERTULIA_MEDIA_ADDRESSES": "example.org"}, "not an IP address"),
        ({"TERTULIA_TURN_ALLOWED_PEERS": "10.0.0.1/8"}, "not a network"),
        ({"TERTULIA_API_KEYS": "site"}, "id=secret"),
        ({"TERTULIA_API_KEYS": "site=short"}, "shorter than 16"),
        ({"TERTULIA_TURN_URLS": "turn:turn.example.org"}, "turn_secret"),
        ({"TERTULIA_TURN_URLS": "http://turn.example.org"}, "turn: or turns:"),
        ({"TERTULIA_PUBLIC_URL": "talk.example.org", "TERTULIA_TOKEN_SECRET": SECRET}, "https://"),
        ({"TERTULIA_HTTP_HOST": "0.0.0.0"}, "token_secret"),
        ({"TERTULIA_PUBLIC_URL": "https://talk.example.org"}, "token_secret"),
        ({"TERTULIA_TURN_CERT": "/etc/turn.pem"}, "turn_key"),
        ({"TERTULIA_TURN_MIN_PORT": "2000", "TERTULIA_TURN_MAX_PORT": "1000"}, "turn_min_port"),
        ({"TERTULIA_CONFIG": "/nonexistent/tertulia.toml"}, "Cannot read"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)) as caught:
        settings.load(environ=environ)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["http_port = ", "htp_port = 1", 'guests = "perhaps"', "http_port = [1]"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tertulia.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(str(path))):
        settings.load(path, {})


def test_production_needs_a_secret_and_knows_its_address() -> None:
    loaded = settings.load(
        environ={"TERTULIA_PUBLIC_URL": "https://talk.example.org/", "TERTULIA_TOKEN_SECRET": SECRET}
    )
    assert not loaded.development
    assert loaded.base_url == "https://talk.example.org"


@pytest.mark.parametrize(
    ("host", "url"),
    [("::1", "http://localhost:8080"), ("127.0.0.2", "http://localhost:8080"), ("localhost", "http://localhost:8080")],
)
def test_every_loopback_address_is_development(host: str, url: str) -> None:
    loaded = Settings(http_host=host)
    assert loaded.development and loaded.base_url == url


def test_the_table_in_the_documentation_is_the_table_in_the_code() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) \| (.+) \|$", text, re.MULTILINE)
    expected = [(row.name, row.type, f"`{row.default}`" if row.default else "", row.help) for row in settings.table()]
    assert documented == expected
