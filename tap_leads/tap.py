"""The tap: what Singer gives it, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from types import FrameType
from typing import Any, ClassVar, NoReturn, cast

import click
from singer_sdk import Tap
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.plugin_base import JSONSchemaValidator
from typing_extensions import override

from tap_leads.command import Command, end_by_signal
from tap_leads.messages import MessageWriter
from tap_leads.settings import SETTINGS, SettingsError, check_settings
from tap_leads.streams import ContactsStream


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
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def discover_streams(self) -> Sequence[ContactsStream]:
        return [ContactsStream(self, cast("MessageWriter", self.message_writer))]

    @override
    def setup_mapper(self) -> None:
        _ = self.streams  # so that the stream has guarded the catalog, which the mapper reads
        super().setup_mapper()

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
        errors = JSONSchemaValidator(schema).iter_errors(self._config)  # and fills in defaults
        messages = check_settings(schema, errors, self._config)
        if messages and raise_errors:
            raise SettingsError(" ".join(messages))
        for name in sorted(self._config.keys() - schema["properties"].keys()):
            self.logger.warning("Setting '%s' is not known, and is ignored.", name)
        return messages

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
