"""The fields of a lead, as Intercom documents them for API 1.0 to 1.4.

The source is the page "The lead model" in the reference of each version. Only 1.0 and 1.1 have
`last_seen_ip`, `user_agent_data` and the coordinates of `location_data`. Only later versions have
`do_not_track`, `referrer`, `owner_id` and the e-mail flags.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_leads.errors import TapLeadsError

ADDITIONAL_FIELDS = "additional_fields"
"""The field for values that the declared fields cannot hold."""

CUSTOM_ATTRIBUTES = "custom_attributes"

OPEN_OBJECT = {"type": ["object", "null"]}
# Flattening makes one JSON column of it. The SDK's flattening would drop
# th.ObjectType(additional_properties=True) from the schema, and keep its keys in the records.


def _string(name: str, description: str) -> th.Property[Any]:
    return th.Property(name, th.StringType, description=description)


def _boolean(name: str, description: str) -> th.Property[Any]:
    return th.Property(name, th.BooleanType, description=description)


def _time(name: str, description: str) -> th.Property[Any]:
    return th.Property(name, th.DateTimeType, description=description)


def _object(name: str, description: str, *properties: th.Property[Any]) -> th.Property[Any]:
    return th.Property(name, th.ObjectType(*properties), description=description)


def _list_object(name: str, description: str, *properties: th.Property[Any]) -> th.Property[Any]:
    """A list as Intercom sends it: an object with a type, and the list under the same name."""
    return _object(
        name,
        description,
        _string("type", "The kind of list."),
        th.Property(name, th.ArrayType(th.ObjectType(*properties)), description="The list itself."),
    )


LEAD_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "id",
        th.StringType,
        required=True,
        description="Intercom's id of the lead, unique within its workspace.",
    ),
    _string("type", "Always `contact`, Intercom's name for a lead in these versions of its API."),
    _string("user_id", "The id that Intercom gave the lead as if it were a user."),
    _string("app_id", "The id of the workspace that the lead belongs to."),
    _string("email", "The lead's e-mail address."),
    _string("phone", "The lead's phone number."),
    _string("name", "The lead's name."),
    _string("pseudonym", "The name that Intercom made up for a lead without one."),
    _string("owner_id", "The id of the admin who owns the lead."),
    _string("referrer", "The page that the lead came from."),
    _string("utm_campaign", "The UTM campaign that brought the lead."),
    _string("utm_content", "The UTM content that brought the lead."),
    _string("utm_medium", "The UTM medium that brought the lead."),
    _string("utm_source", "The UTM source that brought the lead."),
    _string("utm_term", "The UTM term that brought the lead."),
    _string("last_seen_ip", "The IP address last seen (API 1.0 and 1.1)."),
    _string("user_agent_data", "The browser last seen (API 1.0 and 1.1)."),
    _boolean("anonymous", "Whether the lead is anonymous; true for every lead that is no user."),
    _boolean("unsubscribed_from_emails", "Whether the lead unsubscribed from e-mails."),
    _boolean("marked_email_as_spam", "Whether the lead marked an e-mail as spam."),
    _boolean("has_hard_bounced", "Whether an e-mail to the lead hard-bounced."),
    _boolean("do_not_track", "Whether the lead asked not to be tracked."),
    th.Property("session_count", th.IntegerType, description="How many sessions the lead had."),
    _time("created_at", "When the lead was created in Intercom."),
    _time("updated_at", "When the lead was last changed in Intercom."),
    _time("last_request_at", "When the lead last made a request."),
    _time("remote_created_at", "When the lead was created in the sender's own system."),
    _time("signed_up_at", "When the lead signed up."),
    _object(
        "avatar",
        "The lead's picture.",
        _string("type", "Always `avatar`."),
        _string("image_url", "The address of the picture."),
    ),
    _object(
        "location_data",
        "Where the lead was last seen, by its IP address; may be empty.",
        _string("type", "Always `location_data`."),
        _string("city_name", "The city."),
        _string("continent_code", "The continent's code, such as `EU`."),
        _string("country_code", "The country's code, such as `IRL`."),
        _string("country_name", "The country."),
        _string("postal_code", "The postal code."),
        _string("region_name", "The region."),
        _string("timezone", "The time zone's name, such as `Europe/Dublin`."),
        th.Property("latitude", th.NumberType, description="Degrees north (API 1.0 and 1.1)."),
        th.Property("longitude", th.NumberType, description="Degrees east (API 1.0 and 1.1)."),
    ),
    _list_object(
        "companies",
        "The companies that the lead belongs to.",
        _string("type", "Always `company`."),
        _string("id", "Intercom's id of the company."),
        _string("company_id", "The company's id in the sender's own system."),
        _string("name", "The company's name."),
    ),
    _list_object(
        "tags",
        "The lead's tags.",
        _string("type", "Always `tag`."),
        _string("id", "Intercom's id of the tag."),
        _string("name", "The tag's name."),
    ),
    _list_object(
        "segments",
        "The segments that the lead is in.",
        _string("type", "Always `segment`."),
        _string("id", "Intercom's id of the segment."),
    ),
    _list_object(
        "social_profiles",
        "The lead's profiles in social networks.",
        _string("type", "Always `social_profile`."),
        _string("name", "The network's name."),
        _string("id", "The lead's id in the network."),
        _string("username", "The lead's name in the network."),
        _string("url", "The profile's address."),
    ),
    th.Property(
        CUSTOM_ATTRIBUTES,
        th.CustomType(OPEN_OBJECT),
        description="The workspace's own attributes of the lead, by name.",
    ),
    th.Property(
        ADDITIONAL_FIELDS,
        th.CustomType(OPEN_OBJECT),
        description=(
            "What Intercom sent and the other fields cannot hold, unchanged and by name: fields "
            "that this schema does not know, and values of another type than theirs."
        ),
    ),
).to_dict()
"""The JSON Schema of a record whose custom attributes are not declared."""

_ATTRIBUTE_TYPES: dict[str, type[th.JSONTypeHelper[Any]]] = {
    "string": th.StringType,
    "integer": th.IntegerType,
    "float": th.NumberType,
    "boolean": th.BooleanType,
    "date": th.DateTimeType,
}
"""Intercom's names for the types of attributes, from its page "Data attributes"."""


def with_attributes(definitions: object) -> dict[str, Any]:
    """The JSON Schema of a record whose custom attributes are declared, the oldest first.

    Intercom promises no order. In this order, a new attribute changes nothing for the older ones.

    Args:
        definitions: Intercom's response about a workspace's attributes: an object with a list
            `data_attributes` of objects with `name`, `data_type`, `custom` and `archived`.

    Raises:
        TapLeadsError: The response has another form.
    """
    try:
        attributes = [
            th.Property(
                str(attribute["name"]),
                _ATTRIBUTE_TYPES[attribute["data_type"]],
                description=str(attribute.get("description") or attribute["name"]),
            )
            for attribute in sorted(definitions["data_attributes"], key=_age)  # type: ignore[index]
            if attribute["custom"]
            and not attribute.get("archived")
            and attribute["data_type"] in _ATTRIBUTE_TYPES
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise TapLeadsError(
            "Intercom's definitions of the workspace's attributes are not as documented, so their "
            "types are not known. Turn 'typed_custom_attributes' off, or run the sync again later."
        ) from error
    open_field = LEAD_SCHEMA["properties"][CUSTOM_ATTRIBUTES]
    declared = th.ObjectType(*attributes).to_dict()["properties"]
    field = {**open_field, "properties": declared} if declared else open_field
    return {**LEAD_SCHEMA, "properties": {**LEAD_SCHEMA["properties"], CUSTOM_ATTRIBUTES: field}}


def _age(attribute: dict[str, Any]) -> tuple[int, str]:
    created_at = attribute.get("created_at")
    return created_at if isinstance(created_at, int) else 0, str(attribute["name"])
