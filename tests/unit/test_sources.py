"""Where settings are read: files, variables, and the file `.env`."""

from __future__ import annotations

import io
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cases import cases

from tap_leads.singer.settings import SettingsError
from tap_leads.singer.sources import read_environment, read_file

SCHEMA = {
    "properties": {
        "access_token": {"type": ["string"]},
        "max_restarts": {"type": ["integer", "null"]},
        "flattening_enabled": {"type": ["boolean", "null"]},
        "stream_maps": {"type": ["object", "null"]},
        "any": {"type": ["string", "null"]},
    }
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the tap, and an empty folder."""
    for name in list(os.environ):
        if name.startswith("TAP_LEADS_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTHON_DOTENV_DISABLED", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("TAP_LEADS_ACCESS_TOKEN", "TAP_LEADS_MAX_RESTARTS"):  # removed after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@cases("utf-8", "utf-8-sig", "utf-16")
def test_a_file_may_have_each_unicode_encoding_and_keeps_its_numbers(encoding: str) -> None:
    Path("a").write_text('{"x": "ü", "y": 1.40}', encoding=encoding)
    settings = read_file("a")
    assert settings == {"x": "ü", "y": Decimal("1.40")}
    assert str(settings["y"]) == "1.40"


@cases("-", "/dev/stdin")
def test_settings_may_come_through_a_pipe(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"x": 1}')))
    assert read_file(name) == {"x": 1}


@cases("", "hush", "[]", "null", "{hush}", "[" * 100_000)
def test_a_file_without_an_object_is_an_error(content: str) -> None:
    Path("a.json").write_text(content)
    with pytest.raises(SettingsError) as caught:
        read_file("a.json")
    assert str(caught.value) == "The configuration file a.json contains no JSON object."


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        read_file("missing.json")
    assert str(caught.value) == (
        "The configuration file missing.json cannot be read: No such file or directory."
    )


INLINE = ['{"x": 1}', 'say "hush"', "a\nb", "access_token=hush"]


@cases(*INLINE)
def test_settings_in_place_of_a_file_name_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SettingsError, match="takes the name of a file") as caught:
        read_file(text)
    assert "hush" not in str(caught.value)
    Path(text).write_text('{"x": 1}')
    assert read_file(text) == {"x": 1}


def variables(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, Any]:
    """The settings from these variables."""
    for name, value in values.items():
        monkeypatch.setenv(f"TAP_LEADS_{name}", value)
    return read_environment(SCHEMA)


@cases(
    ("ACCESS_TOKEN", "5", "5"),
    ("ACCESS_TOKEN", "", ""),
    ("ANY", "true", "true"),
    ("MAX_RESTARTS", "5", 5),
    ("MAX_RESTARTS", "-1", -1),
    *(("FLATTENING_ENABLED", text, True) for text in ("true", "True", "1", "yes", "ON")),
    *(("FLATTENING_ENABLED", text, False) for text in ("false", "FALSE", "0", "no", "Off")),
    ("STREAM_MAPS", '{"a": {"b": null}}', {"a": {"b": None}}),
    ("STREAM_MAPS", '{"a": 1.40}', {"a": Decimal("1.40")}),
)
def test_a_variable_is_read_as_its_settings_type(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = variables(monkeypatch, **{name: text})
    assert settings == {name.lower(): value}
    assert [type(each) for each in settings.values()] == [type(value)]


@cases(
    ("MAX_RESTARTS", "1.5", "a whole number"),
    ("MAX_RESTARTS", "", "a whole number"),
    ("FLATTENING_ENABLED", "2", "true or false"),
    ("FLATTENING_ENABLED", "", "true or false"),
    ("STREAM_MAPS", "hush", "a JSON object"),
    ("STREAM_MAPS", '["hush"]', "a JSON object"),
    ("STREAM_MAPS", "[" * 100_000, "a JSON object"),
)
def test_a_variable_of_another_type_is_named_without_its_value(
    name: str, text: str, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as caught:
        variables(monkeypatch, **{name: text})
    assert str(caught.value) == f"Variable TAP_LEADS_{name} must contain {type_}."


def test_all_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        variables(monkeypatch, FLATTENING_ENABLED="x", MAX_RESTARTS="x", ACCESS_TOKEN="x")
    assert str(caught.value) == (
        "Variable TAP_LEADS_MAX_RESTARTS must contain a whole number. "
        "Variable TAP_LEADS_FLATTENING_ENABLED must contain true or false."
    )


def test_an_unknown_variable_is_ignored_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TAP_LEADS__SELECT", "x")  # Meltano's
    monkeypatch.setenv("TAP_LEADSX", "x")
    names = {"ZZZ": "x", "TOKEN": "x", "ACCESS_TOKEN": "x", "LOGLEVEL": "x"}
    assert variables(monkeypatch, **names) == {"access_token": "x"}
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("tap-leads", "WARNING", f"Variable 'TAP_LEADS_{name}' is not known, and is ignored.")
        for name in ("TOKEN", "ZZZ")
    ]


def test_the_file_env_gives_values_to_variables_that_are_not_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    Path(".env").write_text("TAP_LEADS_ACCESS_TOKEN=file\nTAP_LEADS_MAX_RESTARTS=3\n")
    with caplog.at_level("INFO"):
        settings = variables(monkeypatch, ACCESS_TOKEN="variable")
    assert settings == {"access_token": "variable", "max_restarts": 3}
    read = f"Read {tmp_path / '.env'}; variables that were set already override it."
    assert caplog.messages == [read]


def test_without_the_file_env_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert read_environment(SCHEMA) == {}
    assert caplog.messages == []


def test_a_file_env_that_cannot_be_read_is_an_error() -> None:
    Path(".env").write_bytes(b"TAP_LEADS_ACCESS_TOKEN=\xff\n")
    with pytest.raises(SettingsError) as caught:
        read_environment(SCHEMA)
    assert str(caught.value) == "The file .env cannot be read (UnicodeDecodeError)."
