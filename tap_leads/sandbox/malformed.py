"""Malformed values: no document allows them, but API clients received them.

The fault `types` gives every other lead of a page one kind of malformed value, in turn, so a page
of 100 leads has each kind at least once. Ids stay unchanged.
"""

import copy

from tap_leads.sandbox.sample_leads import Lead, lead

_BEYOND_64_BITS = 2**70 + 1
_LONG_KEY = "Wie haben Sie von uns erfahren? 🦊 " * 8
_WIDE_TEXT = "👩\u200d💻 日本語, עברית \u202e, \U0010fffd 'once' \\ \"twice\"\n\t\r ;,|"


def _nested(levels: int) -> Lead:
    inner: Lead = {"bottom": True}
    for level in range(levels):
        inner = {f"level_{levels - level}": inner}
    return inner


# Kind of malformed value -> the fields that contain it.
MALFORMED: dict[str, Lead] = {
    "unknown-object": {"ai_summary": {"text": "asked for a demo", "scores": [0.5, None]}},
    "unknown-scalar": {"x_undocumented_flag": False},
    "count-text": {"session_count": "7"},
    "count-whole-float": {"session_count": 12.0},
    "count-fraction": {"session_count": 1.5},
    "count-beyond-64-bits": {"session_count": _BEYOND_64_BITS},
    "count-unsigned": {"session_count": 2**63},
    "time-milliseconds": {"created_at": 1_503_488_750_123},
    "time-iso": {"updated_at": "2020-08-05T13:14:55.060+00:00"},  # webhooks of API 1.x
    "time-text": {"updated_at": "1593702734"},  # fixture of hull-connectors
    "time-before-1970": {"remote_created_at": -86_400},
    "time-year-10000": {"signed_up_at": 253_402_300_800},
    "time-garbage": {"last_request_at": "yesterday, or so"},
    "time-empty": {"signed_up_at": ""},
    "time-beyond-64-bits": {"remote_created_at": _BEYOND_64_BITS},
    "text-number": {"phone": 491_701_234_567, "owner_id": 127},  # API 2.x: owner_id is a number
    "text-object": {"name": {"first": "Ada", "last": "Hopper"}},
    "text-nul": {"name": "Ada\x00Hopper"},
    "text-surrogate": {"name": "Ada \ud800 Hopper"},
    "text-escaped-nul": {"name": "C:\\u0000"},  # a backslash and five characters: no NUL at all
    "text-wide": {"name": _WIDE_TEXT},
    "text-long": {"referrer": "https://example.com/?q=" + "x" * 100_000},
    "boolean-text": {"unsubscribed_from_emails": "false", "anonymous": "true"},
    "boolean-number": {"has_hard_bounced": 0},
    "object-list": {"companies": [{"type": "company", "company_id": "700"}]},
    "object-text": {"location_data": "Dublin"},
    "key-nul": {"utm\x00id": "spring", "custom_attributes": {"plan\x00": {"a\x00b": 1}}},
    "key-surrogate": {"utm\udfffid": "spring", "custom_attributes": {"\ud800plan": "pro"}},
    "key-long": {_LONG_KEY: 1, "custom_attributes": {_LONG_KEY: _WIDE_TEXT}},
    "custom-nul": {"custom_attributes": {"job_title": "\x00", "note": ["a\x00", "\ud83d"]}},
    "custom-beyond-64-bits": {"custom_attributes": {"team_size": -_BEYOND_64_BITS, "n": 2**64}},
    "custom-deep": {"custom_attributes": _nested(20)},
    "custom-types": {"custom_attributes": {"team_size": "ten", "newsletter": "no", "trial": []}},
    "custom-list": {"custom_attributes": []},
}

_KINDS = tuple(MALFORMED)


def malformed_kind(seed: int, index: int) -> str | None:
    """Tell which kind the fault `types` gives a lead; None leaves the lead unchanged."""
    turn, unchanged = divmod(seed + index, 2)
    return None if unchanged else _KINDS[turn % len(_KINDS)]


def make_malformed(record: Lead, seed: int, index: int) -> Lead:
    """Change a lead as the fault `types` does, in place, and return it."""
    kind = malformed_kind(seed, index)
    if kind:
        record.update(copy.deepcopy(MALFORMED[kind]))
    return record


def malformed_lead(seed: int, index: int, workspace: str = "sandbox0") -> Lead:
    """Make one lead as the fault `types` serves it."""
    return make_malformed(lead(seed, index, workspace), seed, index)
