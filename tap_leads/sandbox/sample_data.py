"""What sample leads are made of: names, places, companies and the definitions of attributes.

No real person is in here: mail addresses end in the domains that RFC 2606 sets aside for examples.
"""

# Given and family names by script, after the separator between them.
# There are two Latin groups: most leads of most workspaces are written in it.
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

# As people fill in a form: emoji of one and of several code points, quotes, commas, lines.
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

# city, region, postal code, country, three-letter country code, continent, time zone
PLACES = (
    ("Pretoria", "Gauteng", "0118", "South Africa", "ZAF", "AF", "Africa/Johannesburg"),
    ("Dublin", "Leinster", None, "Ireland", "IRL", "EU", "Europe/Dublin"),
    ("São Paulo", "São Paulo", "01310-100", "Brazil", "BRA", "SA", "America/Sao_Paulo"),
    ("München", "Bayern", "80331", "Germany", "DEU", "EU", "Europe/Berlin"),
    ("القاهرة", None, "11511", "Egypt", "EGY", "AF", "Africa/Cairo"),
    ("東京", "東京都", "100-0001", "Japan", "JPN", "AS", "Asia/Tokyo"),
    ("Kathmandu", "", "", "Nepal", "NPL", "AS", "Asia/Kathmandu"),
    ("Austin", "Texas", "73301", "United States", "USA", "NA", "America/Chicago"),
)

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

# campaign, content, medium, source, term
CAMPAIGNS = (
    ("spring sale", "banner-a", "cpc", "search", "crm software"),
    ("été 2024", None, "email", "newsletter", None),
    ("webinar_07", "button%20blue", "social", "linkedin", ""),
    (None, None, "referral", "partner", None),
)
REFERRERS = (
    "https://www.example.com/pricing?utm_source=search&q=a%26b",
    "https://example.org/blog/größe",
    "android-app://com.example.chat",
)
LANGUAGES = ("English", "Français", "Ελληνικά", "العربية", "हिन्दी", "日本語")
JOBS = ("Founder", "Head of Support", "Développeuse", "учитель", "PM", "")

# name, data type, description: the custom attributes of every workspace here
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
