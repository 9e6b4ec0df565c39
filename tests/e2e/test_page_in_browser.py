"""The HTML pages in a real browser: narrow and wide, light and dark, legible, and asking nobody for anything."""

from dataclasses import replace
from pathlib import Path

import pytest

from lifesign.api.render import state_document
from lifesign.cli.report_page import render_report_page
from lifesign.core.model import ComponentState
from lifesign.tui.page import render_page
from tests.api.fakes import component, info, mind_down, monitor
from tests.browser import PROGRAM, page
from tests.cli.test_report import made
from tests.restarts.needs import needs

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240), needs(PROGRAM, root=False)]

LONG = "a-word-without-an-end-" * 20
# The least contrast (WCAG 2) of any text on the page with what is behind it.
CONTRAST = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => { const [r, g, b] = parts(colour).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (node) => { for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor, found = parts(colour);
    if (found.length < 4 || found[3] > 0) return colour; } return 'rgb(255, 255, 255)'; };
  const texts = [...document.querySelectorAll('main *')].filter((node) => [...node.childNodes]
    .some((child) => child.nodeType === 3 && child.data.trim()));
  const ratio = (node) => {
    const pair = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
    return (pair[1] + 0.05) / (pair[0] + 0.05); };
  return Math.min(...texts.map(ratio));
})()"""


def every_state(folder: Path) -> Path:
    """A snapshot with a component in each state, one of them with words that no line can hold."""
    states = [component(state.value, state) for state in ComponentState]
    wordy = replace(component("wordy", ComponentState.DEGRADED), diagnosis=LONG, next_step=f"then {LONG}")
    document = state_document(monitor(mind_down(), wordy, *states, overall=ComponentState.DOWN), info())
    path = folder / "snapshot.html"
    path.write_text(render_page(document))
    return path


def a_report(folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(render_report_page(made()))
    return path


@pytest.mark.parametrize("write", [every_state, a_report])
async def test_a_page_is_legible_in_every_size_and_light_and_asks_nobody_for_anything(
    write: object, tmp_path: Path
) -> None:
    assert callable(write)
    path = write(tmp_path)
    backgrounds = set()
    async with page() as tab:
        for width in (1280, 390):
            for dark in (False, True):
                await tab.open(path, width, dark=dark)
                assert await tab.value("innerWidth") == width
                assert await tab.value("document.documentElement.scrollWidth") <= width
                assert await tab.value(CONTRAST) >= 4.5
                background = await tab.value("getComputedStyle(document.body).backgroundColor")
                backgrounds.add((dark, background))
                assert (await tab.picture()).startswith(b"\x89PNG")
                words = await tab.value("document.body.innerText")
                assert "mind" in words
        assert await tab.value("document.scripts.length") == 0
    assert len(backgrounds) == 2
    assert len({background for _, background in backgrounds}) == 2
    assert set(tab.asked_for) == {path.as_uri()}


async def test_what_a_page_asks_for_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "asks.html"
    path.write_text('<!doctype html><img src="http://elsewhere.example/x.png">')
    async with page() as tab:
        await tab.open(path, 1280, dark=False)
    assert "http://elsewhere.example/x.png" in tab.asked_for
