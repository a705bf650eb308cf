"""The faults that fire at one request, as one."""

from collections.abc import Iterable

from tap_leads.sandbox.fault_kind import PageLeads
from tap_leads.sandbox.faults import KINDS, Fault
from tap_leads.sandbox.http_response import Response
from tap_leads.sandbox.workspace import Deviation, Workspace


class Firing:
    """The faults that fire at one request, in the order in which they were given."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._kinds = [(KINDS[fault.kind], fault.argument) for fault in faults]

    def prepare(self, workspace: Workspace) -> None:
        """Do to the workspace what happens before the request is looked at."""
        for kind, argument in self._kinds:
            if kind.before:
                kind.before(workspace, argument)

    def instead(self) -> tuple[Response | None, bool]:
        """Give the response that takes the place of the real one, if any.

        Returns:
            The first one, and whether the page is lost by it.
        """
        for kind, argument in self._kinds:
            response = kind.instead(argument) if kind.instead else None
            if response:
                return response, kind.lost
        return None, False

    def deviation(self) -> Deviation:
        """Tell how the scroll deviates from its rules."""
        deviation = Deviation()
        for kind, argument in self._kinds:
            if kind.scroll:
                deviation = kind.scroll(deviation, argument)
        return deviation

    def edit(self, page: PageLeads) -> None:
        """Change the leads of a page."""
        for kind, argument in self._kinds:
            if kind.leads:
                kind.leads(page, argument)

    @property
    def edits(self) -> bool:
        """Whether `edit` changes anything."""
        return any(kind.leads for kind, _ in self._kinds)

    def change(self, response: Response) -> Response:
        """Change a response, whatever it says."""
        for kind, argument in self._kinds:
            if kind.change:
                response = kind.change(response, argument)
        return response


def firing(faults: Iterable[Fault], path: str, ordinal: int, of_scroll: int) -> Firing:
    """Choose the faults that fire at one request to a path."""
    return Firing(
        fault for fault in faults if fault.path == path and fault.fires(ordinal, of_scroll)
    )
