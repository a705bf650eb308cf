"""Sample leads, made on demand by a pure function of a seed and an index.

A lead can be made without the leads before it, so a workspace of a million leads costs nothing
until a page is requested. The shape is the leads object of API 1.4. Each value that may be null
or missing there is null or missing in some leads.
"""

from typing import Any, TypeAlias

from tap_leads.sandbox import sample_data as data

Lead: TypeAlias = dict[str, Any]

# All times are between these two, in seconds since 1970: the first days of 2015 and of 2026.
# They are fixed, so that a seed always makes the same leads.
FIRST_SECOND = 1_420_070_400
LAST_SECOND = 1_767_225_600

_64_BITS = (1 << 64) - 1
_40_BITS = (1 << 40) - 1
_OWNERS = (None, None, "321452", "127", "814460")

# Groups of fields that a lead may lack. Most are empty, because few leads lack fields.
_ABSENT: tuple[tuple[str, ...], ...] = (
    ("phone",),
    ("do_not_track", "referrer"),
    data.UTM,
    ("last_request_at", "session_count"),
    ("companies", "tags"),
    ("name",),
    ("avatar", "social_profiles", "segments"),
    ("custom_attributes",),
    *((),) * 24,
)


def mix(number: int) -> int:
    """Scatter a number over 64 bits (the finalizer of SplitMix64), enough for many fields."""
    number = (number + 0x9E3779B97F4A7C15) & _64_BITS
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & _64_BITS
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & _64_BITS
    return number ^ number >> 31


def app_id(seed: int, number: int) -> str:
    """Name a workspace the way Intercom does: eight characters, different for each number."""
    return f"{mix(seed) & 0xFFFFF:05x}{number:03x}"


def lead(seed: int, index: int, workspace: str = "sandbox0") -> Lead:
    """Make one lead.

    Args:
        seed: Another seed makes other leads.
        index: Number of the lead, from 0; 2**40 leads of a seed have different ids.
        workspace: The `app_id` of the lead. It decides nothing else: two workspaces of one seed
            have the same ids, because Intercom's ids are unique within a workspace only.
    """
    scattered = mix(seed)
    a = mix(scattered ^ index)
    b = mix(a)
    created = FIRST_SECOND + a % (LAST_SECOND - FIRST_SECOND)
    # An odd factor modulo a power of two maps each index to another number: ids cannot collide.
    unique = (index * 0x9E3779B1 + (scattered >> 24)) & _40_BITS
    colour, animal = data.COLOURS[a & 7], data.ANIMALS[a >> 3 & 7]
    place = data.PLACES[b & 7]
    campaign = data.CAMPAIGNS[b >> 3 & 3] if b >> 5 & 1 else data.NO_CAMPAIGN
    record: Lead = {
        "type": "contact",
        "id": f"{created:08x}{scattered & 0xFFFFFF:06x}{unique:010x}",
        "user_id": f"{b >> 32:08x}-{b >> 16 & 0xFFFF:04x}-4{a & 0xFFF:03x}-a123-{unique:012x}",
        "anonymous": True,
        "email": f"{colour}.{animal}{index}@{data.DOMAINS[a % 3]}" if a >> 6 & 7 else None,
        "phone": f"+1555{b >> 6 & 0xFFFFFF:08d}" if a >> 9 & 1 else None,
        "name": data.NAMES[(a >> 10) % len(data.NAMES)] if a >> 34 & 7 else None,
        "pseudonym": f"{colour.title()} {animal.title()} from {place['city_name']}",
        "avatar": {
            "type": "avatar",
            "image_url": f"https://example.com/avatars/{unique:010x}.png" if b >> 7 & 1 else None,
        },
        "app_id": workspace,
        "companies": {"type": "company.list", "companies": _companies(b >> 8)},
        "location_data": {**place} if b >> 14 & 7 else {},
        "last_request_at": created - 1 if b >> 17 & 1 else None,
        "created_at": created,
        "remote_created_at": created - (b & 0xFFFF) if a >> 40 & 3 == 0 else None,
        "signed_up_at": created if a >> 40 & 3 == 0 else None,
        "updated_at": created + b % (LAST_SECOND - created),
        "session_count": (b >> 18 & 0xFF) if b >> 26 & 1 else 0,
        "social_profiles": {
            "type": "social_profile.list",
            "social_profiles": _profiles(b >> 27, colour + animal),
        },
        "owner_id": _OWNERS[a % 5],
        "unsubscribed_from_emails": a >> 42 & 7 == 0,
        "marked_email_as_spam": a >> 45 & 15 == 0,
        "has_hard_bounced": a >> 49 & 15 == 0,
        "tags": {"type": "tag.list", "tags": _tags(b >> 30)},
        "segments": {"type": "segment.list", "segments": _segments(b >> 36)},
        "custom_attributes": _attributes(a >> 20, b >> 40, created),
        "referrer": data.REFERRERS[b % 3] if b >> 38 & 3 == 0 else None,
        **campaign,
        "do_not_track": True if a >> 53 & 7 == 0 else None,
    }
    for field in _ABSENT[a >> 56 & 31]:
        del record[field]
    return record


def _companies(bits: int) -> list[Lead]:
    return [
        {
            "type": "company",
            "company_id": str(700 + n),
            "id": f"54c42ed71623d8caa{n:07x}",
            "name": data.COMPANIES[n],
        }
        for n in ((), (), (bits >> 2 & 7,), (bits >> 2 & 3, 4 + (bits >> 4 & 3)))[bits & 3]
    ]


def _tags(bits: int) -> list[Lead]:
    return [
        {"type": "tag", "id": str(34200 + n), "name": data.TAGS[n]}
        for n in range(6)
        if bits & 0b111 == n or bits >> 3 & 0b111 == n
    ]


def _segments(bits: int) -> list[Lead]:
    return [
        {"type": "segment", "id": f"5125603c45b438c7310000{n:02x}"}
        for n in range(1, (bits & 3) + 1)
    ]


def _profiles(bits: int, name: str) -> list[Lead]:
    if bits & 3:
        return []
    network = data.NETWORKS[bits >> 2 & 3]
    return [
        {
            "type": "social_profile",
            "name": network,
            "id": str(bits) if bits >> 4 & 1 else None,
            "username": name if bits >> 5 & 1 else None,
            "url": f"https://example.net/{network.lower()}/{name}",
        }
    ]


def _attributes(a: int, b: int, created: int) -> Lead:
    attributes: Lead = {
        "job_title": data.JOBS[b % 6],
        "team_size": b & 0x3FF,
        "lead_score": (b >> 2 & 0xFFFF) / 655.36,
        "newsletter": b >> 3 & 1 == 1,
    }
    if a & 1:
        attributes["preferred_language"] = data.LANGUAGES[a % 6] if a & 2 else None
        attributes["budget_€"] = (b & 0xFFFF) / 4
    if a & 4:
        attributes["trial_ends_at"] = created + 30 * 86_400 if a & 8 else None
        attributes["events_tracked"] = b * 1_000
    return attributes


def data_attributes() -> list[Lead]:
    """Describe the custom attributes like the page "List data attributes" of API 1.4."""
    return [
        {
            "type": "data_attribute",
            "model": "customer",
            "name": name,
            "full_name": f"custom_attributes.{name}",
            "label": name,
            "description": description,
            "data_type": data_type,
            "custom": True,
            "archived": False,
        }
        for name, data_type, description in data.ATTRIBUTES
    ]
