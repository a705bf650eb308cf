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
    monkeypatch.setenv("TAP_LEADS_MAX_RESTARTS", "")  # removed after the test, if .env sets it
    monkeypatch.delenv("TAP_LEADS_MAX_RESTARTS")


@cases("utf-8", "utf-8-sig", "utf-16")
def test_a_file_may_have_each_unicode_encoding_and_keeps_its_numbers(encoding: str) -> None:
    Path("a").write_text('{"x": "ü", "y": 1.40}', encoding=encoding)
    assert repr(read_file("a")) == repr({"x": "ü", "y": Decimal("1.40")})


@cases("-", "/dev/stdin")
def test_settings_may_come_through_a_pipe(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"x": 1}')))
    assert read_file(name) == {"x": 1}


@cases("", "hush", "[]", "null", "{hush}", nested="[" * 100_000, missing=None)
def test_a_file_without_an_object_is_an_error(content: str | None) -> None:
    problem = "cannot be read: No such file or directory"
    if content is not None:
        Path("a.json").write_text(content)
        problem = "contains no JSON object"
    with pytest.raises(SettingsError) as caught:
        read_file("a.json")
    assert str(caught.value) == f"The configuration file a.json {problem}."


@cases('{"x": 1}', 'say "hush"', "a\nb", "access_token=hush")
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
    assert repr(variables(monkeypatch, **{name: text})) == repr({name.lower(): value})


TYPES = {
    "MAX_RESTARTS": "a whole number",
    "FLATTENING_ENABLED": "true or false",
    "STREAM_MAPS": "a JSON object",
}


@cases(
    *({"MAX_RESTARTS": text} for text in ("1.5", "")),
    *({"FLATTENING_ENABLED": text} for text in ("2", "")),
    *({"STREAM_MAPS": text} for text in ("hush", '["hush"]', "[" * 100_000)),
    {"FLATTENING_ENABLED": "x", "MAX_RESTARTS": "x", "ANY": "x"},
)
def test_each_variable_of_another_type_is_named_without_its_value(
    values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as caught:
        variables(monkeypatch, **values)
    found = [f"TAP_LEADS_{name} must contain {TYPES[name]}." for name in TYPES if name in values]
    assert str(caught.value) == " ".join(f"Variable {each}" for each in found)


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


@cases(None, "TAP_LEADS_ACCESS_TOKEN=file\nTAP_LEADS_MAX_RESTARTS=3\n")
def test_the_file_env_gives_values_to_variables_that_are_not_set(
    content: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found: dict[str, Any] = {"access_token": "variable"}
    messages: list[str] = []
    if content:
        Path(".env").write_text(content)
        found |= {"max_restarts": 3}
        messages = [f"Read {Path('.env').resolve()}; variables that were set already override it."]
    with caplog.at_level("INFO"):
        assert variables(monkeypatch, ACCESS_TOKEN="variable") == found
    assert caplog.messages == messages


def test_a_file_env_that_cannot_be_read_is_an_error() -> None:
    Path(".env").write_bytes(b"TAP_LEADS_ACCESS_TOKEN=\xff\n")
    with pytest.raises(SettingsError) as caught:
        read_environment(SCHEMA)
    assert str(caught.value) == "The file .env cannot be read (UnicodeDecodeError)."
