"""`python -m docs.generate`: writes the pages that programs make.

`--pages` writes only the pages that need no run: the stream's schema and the settings.
`--record` records the demo too: each recording differs from the one before.
"""

import sys

from demo.meltano import ROOT
from docs.generate import schema_page, settings_page, sql_page
from docs.generate.recording import record_demo

PAGES = {"schema.md": schema_page.page, "settings.md": settings_page.page}


def main() -> None:
    """Writes them into docs/."""
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())
    if "--pages" not in sys.argv:
        sql_page.PAGE.write_text(sql_page.page())
    if "--record" in sys.argv:
        (ROOT / "docs/demo.svg").write_text(record_demo())


if __name__ == "__main__":
    main()
