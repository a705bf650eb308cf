"""The tap: what Singer gives it, and how it ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import FrameType
from typing import IO, Any, ClassVar, NoReturn, cast

import click
from singer_sdk import Tap
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.plugin_base import JSONSchemaValidator
from typing_extensions import override

from tap_leads.outputs import OutputMapper
from tap_leads.singer import catalog as catalogs
from tap_leads.singer.command import Command, end_by_signal
from tap_leads.singer.messages import MessageWriter
from tap_leads.singer.settings import (
    SETTINGS,
    SettingsError,
    check_environment,
    check_file,
    check_settings,
)
from tap_leads.streams import ContactsStream

# At DEBUG, the first logs the scroll's token, and the second what a stream map's filter saw.
for _name in ("urllib3", "singer_sdk.mapper"):
    logging.getLogger(_name).setLevel(logging.INFO)


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
        TapCapabilities.ACTIVATE_VERSION,
        TapCapabilities.TEST,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *, parse_env_config: bool = False, **arguments: Any) -> None:
        self.append_builtin_config(self.config_jsonschema)
        if parse_env_config and (messages := check_environment(self.config_jsonschema)):
            raise SettingsError(" ".join(messages))
        super().__init__(parse_env_config=parse_env_config, **arguments)

    @override
    def discover_streams(self) -> Sequence[ContactsStream]:
        return [ContactsStream(self, cast("MessageWriter", self.message_writer))]

    @override
    def setup_mapper(self) -> None:
        _ = self.streams  # so that the stream has guarded the catalog, which the mapper reads
        self.mapper = OutputMapper(self.config, self.logger)
        self.mapper.register_raw_streams_from_catalog(self.catalog)

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        # Each sync begins with the first lead; a state taken in would be echoed as if it counted.
        if state:
            self.logger.info("The given state is ignored: every sync reads all leads.")

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        # The SDK's writes a STATE, which hangs on a full pipe, and ends with 0.
        end_by_signal(signum, frame)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # The SDK's messages quote the wrong value, which may be the token.
        self._config = {k: v for k, v in self._config.items() if v is not None}
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = (
            error
            for error in JSONSchemaValidator(schema).iter_errors(self._config)  # fills in defaults
            if list(error.path)[:1] != ["stream_maps"] or len(error.path) == 1
            # Inside a stream map, the mapper names what is wrong, down to the field.
        )
        messages = check_settings(schema, errors, self._config)
        if messages and raise_errors:
            raise SettingsError(" ".join(messages))
        for name in sorted(self._config.keys() - schema["properties"].keys()):
            self.logger.warning("Setting '%s' is not known, and is ignored.", name)
        return messages

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        for path in value:
            if path != "ENV":
                check_file(path)
        return super().cb_config(ctx, param, value)

    @classmethod
    @override
    def invoke(
        cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **arguments: Any
    ) -> None:
        if state is not None:
            cls.logger.info("The given state is ignored: every sync reads all leads.")
        super().invoke(catalog=catalog and catalogs.check_file(catalog), **arguments)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for parameter in command.params:
            if parameter.name == "config":
                parameter.default = ("ENV",)  # without a file, the TAP_LEADS_… variables
        return Command(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )
