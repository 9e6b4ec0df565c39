"""The palette: what is proposed for what is typed, and running it. Not here: what is proposed (`proposals`)."""

from collections.abc import Iterator
from functools import partial
from typing import cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from lifesign.tui.commands import ON_COMPONENTS
from lifesign.tui.proposals import Proposal, proposals
from lifesign.tui.screens.console import Console
from lifesign.tui.screens.page import Page


class Finding(Provider):
    """Every command of the screen, and every command on every component."""

    async def discover(self) -> Hits:
        """Before anything is typed: the commands of the screen."""
        for proposal in self._found(""):
            yield DiscoveryHit(Content(proposal.words), self._runner(proposal), proposal.words, proposal.help)

    async def search(self, query: str) -> Hits:
        """What fits `query`, best first."""
        for proposal in self._found(query):
            run = self._runner(proposal)
            yield Hit(proposal.score, Content(proposal.words), run, proposal.words, proposal.help)

    def _found(self, query: str) -> Iterator[Proposal]:
        page = self._page
        if page is None:
            return
        console = cast("Console", self.app)
        state = console.scene().snapshot.state
        names = [component.name for component in state.components] if state else []
        yield from proposals(query, page.command_set, console.commands_of(ON_COMPONENTS), names)

    @property
    def _page(self) -> Page | None:
        return self.screen if isinstance(self.screen, Page) else None

    def _runner(self, proposal: Proposal) -> partial[bool]:
        page = self._page
        assert page is not None
        if not proposal.component:
            return partial(self.app.call_later, page.run_action, proposal.command.action)
        return partial(self.app.call_later, page.run_on, proposal)
