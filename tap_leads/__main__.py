"""The command `tap-leads`, also as `python -m tap_leads`."""

from __future__ import annotations

from tap_leads.singer import signals, stdio


def main() -> None:
    """Runs the command."""
    stdio.prepare()  # before a pipe for signals takes the number of a closed stream
    # Before the imports, which take a while: Linux discards a signal that process 1 of a container
    # does not handle.
    signals.handle()
    from tap_leads.tap import TapLeads  # noqa: PLC0415

    TapLeads.cli()


if __name__ == "__main__":
    main()
