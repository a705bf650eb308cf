"""The tap: its settings, its capabilities and its command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any, ClassVar, cast

import click
from singer_sdk import Tap
from singer_sdk.cli import plugin_cli
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.mapper import PluginMapper
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_leads.singer import about, logs, stdio
from tap_leads.singer import catalog as catalogs
from tap_leads.singer.command import Command
from tap_leads.singer.messages import MessageWriter
from tap_leads.singer.outputs import outputs
from tap_leads.singer.settings import SETTINGS, SettingsError, check_settings, normalize
from tap_leads.singer.sources import read_environment, read_file
from tap_leads.stream import ContactsStream

_STATE_IS_IGNORED = "The given state is ignored: every sync reads all leads."


class TapLeads(Tap):
    """Extracts every lead of an Intercom workspace through the Scroll API, or fails loudly."""

    name = "tap-leads"
    config_jsonschema = SETTINGS
    message_writer_class = MessageWriter
    # No BATCH: its files would hold deselected fields, and fields before their stream map.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ACTIVATE_VERSION,  # before 0.55 of the SDK also in TapCapabilities
        TapCapabilities.TEST,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **arguments: Any) -> None:
        logs.quiet_mapper()
        with logs.valid_level() as unknown:
            if unknown:
                self.logger.warning("LOGLEVEL '%s' is not a level of the log; INFO is.", unknown)
            super().__init__(**arguments)

    @property
    def _env_var_config(self) -> dict[str, Any]:
        # The SDK also looks for a `.env` near its own files, and lets it override the environment.
        self.append_builtin_config(self.config_jsonschema)
        return read_environment(self.config_jsonschema)

    @override
    def discover_streams(self) -> Sequence[ContactsStream]:
        return [ContactsStream(self, cast("MessageWriter", self.message_writer))]

    @property
    def contacts(self) -> ContactsStream:
        """The one stream."""
        return cast("ContactsStream", self.streams[ContactsStream.name])

    @override
    def setup_mapper(self) -> None:
        name = self.contacts.name  # first, the stream replaces all but the selection in the catalog
        self.mapper = PluginMapper({}, self.logger)
        self.mapper.stream_maps[name] = [*outputs(self.catalog[name], self.config, self.logger)]

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        # Every sync starts with the first lead. The SDK would send the old state as the new one.
        if state:
            self.logger.info(_STATE_IS_IGNORED)

    @override
    def _setup_signal_handlers(self) -> None:
        """Does nothing: the command handles signals, and a program in Python has its own handlers.

        The SDK's handler writes a STATE, which blocks on a full pipe, and ends with exit code 0.
        """

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # The SDK's messages quote the wrong value, which may be the token.
        self._config = normalize(self._config)
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        messages = check_settings(schema, self._config)
        if messages and raise_errors:
            raise SettingsError(" ".join(messages))
        for name in sorted(self._config.keys() - schema["properties"].keys()):
            self.logger.warning("Setting '%s' is not known, and is ignored.", name)
        return messages

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        given = super().cb_config(ctx, param, tuple(path for path in value if path == "ENV"))
        for path in value:
            given.config |= read_file(path) if path != "ENV" else {}
        return given

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        try:
            super().cb_test(ctx, param, value)
        except click.exceptions.Exit:
            if value == CliTestOptionValue.All.value:
                cls.logger.info(
                    "The test succeeded: Intercom accepts the access token and the API version, "
                    "and sends leads. No scroll was opened."
                )
            raise

    @classmethod
    @override
    def invoke(
        cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **arguments: Any
    ) -> None:
        if state is not None:
            cls.logger.info(_STATE_IS_IGNORED)
        super().invoke(catalog=catalog and catalogs.check_file(catalog), **arguments)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        options = cast("dict[str, click.Option]", {each.name: each for each in command.params})
        options["test"].help = about.TEST_HELP
        options["config"].default = ("ENV",)  # without a file, the TAP_LEADS_… variables
        for name in ("catalog", "state"):
            options[name].type = click.File(encoding="utf-8-sig")  # whatever the locale
        return Command(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=about.HELP,
            logger=cls.logger,
        )

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - the SDK's decorator makes it a class method
        """The command line."""
        stdio.prepare()  # before the log takes standard error
        # The decorator is not a method, so super() needs its arguments.
        return logs.set_up(lambda: super(TapLeads, cls).cli, cls.logger)
