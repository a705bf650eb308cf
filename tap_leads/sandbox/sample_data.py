"""The parts of sample leads: names, places, companies and the definitions of attributes.

No real person is in here: mail addresses end in the domains that RFC 2606 reserves for examples.
"""

# Separator, given names and family names. There are two groups of Latin names, because the names
# of most leads in most workspaces are Latin.
_SCRIPTS = (
    (
        " ",
        "Zoë Jürgen Siobhán Łukasz Anaïs Nuño",
        "Ångström Brontë Šimić D'Arcy Nguyễn García-Ruiz",
    ),
    (" ", "Ada Robin Max Ines Tom Grace", "Hopper Smith van_der_Berg Okafor Silva O’Neill"),  # noqa: RUF001 - a typographic apostrophe
    (" ", "Ελένη Νίκος Σοφία", "Παπαδοπούλου Γεωργίου Οικονόμου"),
    (" ", "Юлия Дмитро Ђорђе", "Щербакова Шевченко Јовановић"),
    (" ", "ليلى يوسف مريم", "الهاشمي حداد العلي"),
    (" ", "נועה איתן שירה", "כהן לוי מזרחי"),
    (" ", "प्रिया अर्जुन लक्ष्मी", "शर्मा त्रिपाठी कृष्णन"),
    ("", "伟 小芳 建国", "王 李 欧阳"),
    (" ", "さくら 健太 ゆう子", "佐藤 髙橋 渡邉"),
    ("", "서연 민준 하늘", "김 박 남궁"),
)
# Chinese, Japanese and Korean write the family name first.
_FAMILY_FIRST = frozenset("王佐김")

# What people type into a form: emoji of one and of several code points, quotes, commas, lines.
_TYPED_BY_HAND = (
    "🦊 Robin",
    "Sam 👩🏽‍🚀",
    "👨‍👩‍👧‍👦",
    'Jo "Ace" Lee, Jr.',
    "  ines  ",
    "A\\B\tC",
    "line one\nline two",
    "\u202edesrever",
)


def _names() -> tuple[str, ...]:
    names: list[str] = []
    for space, given, family in _SCRIPTS:
        for first in given.split():
            for last in family.replace("_", "\u00a0").split(" "):
                pair = (last, first) if family[0] in _FAMILY_FIRST else (first, last)
                names.append(space.join(pair))
    return (*names, *_TYPED_BY_HAND)


NAMES = _names()

COLOURS = ("amber", "azure", "coral", "ivory", "lime", "olive", "pink", "violet")
ANIMALS = ("badger", "camel", "falcon", "gecko", "heron", "otter", "panda", "wombat")
DOMAINS = ("example.com", "example.org", "example.net")

_PLACE = (
    *("type", "city_name", "continent_code", "country_code", "country_name"),
    *("postal_code", "region_name", "timezone"),
)
# In the order of `_PLACE`, without the type.
_PLACES = (
    ("Pretoria", "AF", "ZAF", "South Africa", "0118", "Gauteng", "Africa/Johannesburg"),
    ("Dublin", "EU", "IRL", "Ireland", None, "Leinster", "Europe/Dublin"),
    ("São Paulo", "SA", "BRA", "Brazil", "01310-100", "São Paulo", "America/Sao_Paulo"),
    ("München", "EU", "DEU", "Germany", "80331", "Bayern", "Europe/Berlin"),
    ("القاهرة", "AF", "EGY", "Egypt", "11511", None, "Africa/Cairo"),
    ("東京", "AS", "JPN", "Japan", "100-0001", "東京都", "Asia/Tokyo"),
    ("Kathmandu", "AS", "NPL", "Nepal", "", "", "Asia/Kathmandu"),
    ("Austin", "NA", "USA", "United States", "73301", "Texas", "America/Chicago"),
)
PLACES = [dict(zip(_PLACE, ("location_data", *place), strict=True)) for place in _PLACES]

COMPANIES = (
    "Blue Door Bakery",
    "Société Générée & Fils",
    "ООО «Ромашка»",  # noqa: RUF001 - it is Cyrillic
    "株式会社サンドボックス",
    "North/South Logistics",
    "Tea, Coffee & Co.",
    "Müller'sche Mühle",
    "42",
)
TAGS = ("demo asked", "newsletter", "VIP ⭐", "imported 2019", "trade fair: Köln", "do-not-call")
NETWORKS = ("Twitter", "Facebook", "LinkedIn", "Gravatar")

UTM = ("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term")
_CAMPAIGNS = (
    ("spring sale", "banner-a", "cpc", "search", "crm software"),
    ("été 2024", None, "email", "newsletter", None),
    ("webinar_07", "button%20blue", "social", "linkedin", ""),
    (None, None, "referral", "partner", None),
)
CAMPAIGNS = [dict(zip(UTM, campaign, strict=True)) for campaign in _CAMPAIGNS]
NO_CAMPAIGN = dict.fromkeys(UTM)
REFERRERS = (
    "https://www.example.com/pricing?utm_source=search&q=a%26b",
    "https://example.org/blog/größe",
    "android-app://com.example.chat",
)
LANGUAGES = ("English", "Français", "Ελληνικά", "العربية", "हिन्दी", "日本語")
JOBS = ("Founder", "Head of Support", "Développeuse", "учитель", "PM", "")

# The custom attributes of every workspace: name, data type, description.
ATTRIBUTES = (
    ("job_title", "string", "What it says on the card"),
    ("preferred_language", "string", ""),
    ("team_size", "integer", "People in the team"),
    ("events_tracked", "integer", "Since the beginning; exceeds 32 bits"),
    ("lead_score", "float", "From 0 to 100"),
    ("budget_€", "float", "A month"),
    ("newsletter", "boolean", ""),
    ("trial_ends_at", "date", "End of the trial"),
)
