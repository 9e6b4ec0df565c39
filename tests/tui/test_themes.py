"""Colour themes: shipped ones can be read by people, and a bad file is told and stops nothing."""

import colorsys
from pathlib import Path

import pytest
from textual.color import Color

from lifesign.tui.kept import kept_theme
from lifesign.tui.themes import STATES, Themes, load_themes, shipped_folder
from tests.tui.desk import HandClock, seated
from tests.tui.documents import component, down_mind, state

SHIPPED = load_themes(shipped_folder())


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, reckoned here and not by the library."""

    def luminance(value: str) -> float:
        channels = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_five_themes_are_shipped_and_none_is_bad() -> None:
    assert {theme.name for theme in SHIPPED.themes} == {"night", "day", "contrast", "colorblind", "ansi"}
    assert SHIPPED.problems == ()


@pytest.mark.parametrize("theme", [theme for theme in SHIPPED.themes if not theme.ansi], ids=lambda theme: theme.name)
def test_every_state_can_be_read_on_every_ground(theme: object) -> None:
    variables = theme.variables  # type: ignore[attr-defined]
    least = 7.0 if theme.name == "contrast" else 4.5  # type: ignore[attr-defined]
    grounds = (theme.background, variables["ls-card"], variables["ls-cursor"])  # type: ignore[attr-defined]
    inks = {name: variables[f"ls-{name}"] for name in (*STATES, "muted")} | {"text": theme.foreground}  # type: ignore[attr-defined]
    for ground in grounds:
        for name, ink in inks.items():
            assert contrast(ink, ground) >= least, (name, ink, ground)
    assert contrast(variables["ls-gone"], grounds[0]) >= 3.0


def test_in_the_theme_for_colour_blindness_no_state_is_red_or_green() -> None:
    theme = next(theme for theme in SHIPPED.themes if theme.name == "colorblind")
    for name in STATES:
        hue, _, saturation = colorsys.rgb_to_hls(*Color.parse(theme.variables[f"ls-{name}"]).normalized)
        degrees = hue * 360
        assert saturation < 0.2 or not (degrees < 20 or degrees > 345 or 75 < degrees < 165), (name, degrees)


GOOD = (shipped_folder() / "night.toml").read_text()
BAD = {
    "no TOML": "states = [",
    "no section": "dark = true",
    "a missing colour": GOOD.replace('down = "#ff7b82"', ""),
    "no colour": GOOD.replace("#ff7b82", "reddish\x1b[31m".encode("unicode_escape").decode()),
    "a number": GOOD.replace('"#ff7b82"', "7"),
    "half transparent": GOOD.replace("#ff7b82", "#ff7b8280"),
    "an unknown name": GOOD + 'melting = "#ffffff"',
    "an unknown key": 'x = "#ffffff"\n' + GOOD,
    "not UTF-8": "\udcff",
    "large": GOOD + "#" * 70_000,
    "deep": "x = " + "[" * 5000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_theme_file_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_bytes(text.encode(errors="surrogateescape"))
    themes = load_themes(shipped_folder(), tmp_path)
    assert len(themes.themes) == 5
    (problem,) = themes.problems
    assert problem.startswith("theme mine.toml: ")
    assert problem.isprintable()


async def test_the_console_opens_with_a_bad_theme_and_tells_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(BAD["no colour"])
    async with seated(state([component()]), themes=load_themes(shipped_folder(), tmp_path)) as desk:
        await desk.until(lambda: any("theme mine.toml" in told for told in desk.toasts), "it was not told")


async def test_a_theme_of_the_users_replaces_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "night.toml").write_text(GOOD.replace("#ff7b82", "#ff00ff"))
    async with seated(state([down_mind()]), themes=load_themes(shipped_folder(), tmp_path)) as desk:
        await desk.press("2")
        assert "#ff00ff" in desk.colors("mind")


@pytest.mark.parametrize("name", [theme.name for theme in SHIPPED.themes])
async def test_every_shipped_theme_draws_every_screen(name: str) -> None:
    async with seated(state([down_mind()]), theme=name) as desk:
        for keys in (("1",), ("2",), ("slash",), ("escape", "enter"), ("escape", "question_mark"), ("escape", "colon")):
            await desk.press(*keys)
        await desk.press("escape")
        assert "mind" in desk.text


async def test_without_any_theme_file_the_console_still_opens() -> None:
    async with seated(state([down_mind()]), themes=Themes(())) as desk:
        await desk.until_shown("mind")


async def test_t_tries_themes_on_enter_keeps_one_and_escape_takes_the_old_one_back() -> None:
    async with seated(state([down_mind()]), clock=HandClock()) as desk:
        names = [theme.name for theme in SHIPPED.themes]
        before = desk.colors("no new work")
        await desk.press("t", "down")
        after = names[(names.index("night") + 1) % len(names)]
        assert f"→ {after}" in desk.text
        await desk.until(lambda: desk.colors("no new work") != before, "nothing was tried on")
        assert "mind" in desk.text
        await desk.press("escape")
        await desk.until(lambda: desk.colors("no new work") == before, "the old one did not come back")
        await desk.press("t", "down", "enter")
        assert desk.app.theme == after
        assert f"theme {after}" in desk.toasts


async def test_saving_the_theme_that_is_worn_changes_the_running_screen(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    folders = (shipped_folder(), tmp_path)
    themes = load_themes(*folders)
    async with seated(
        state([down_mind()]), clock=HandClock(), themes=themes, theme_folders=folders, theme="mine"
    ) as desk:
        await desk.press("2")
        assert "#ff00ff" not in desk.colors("mind")
        (tmp_path / "mine.toml").write_text(GOOD.replace("#ff7b82", "#ff00ff") + "\n")
        await desk.tick()
        await desk.until(lambda: "#ff00ff" in desk.colors("mind"), "the screen did not change")
        (tmp_path / "mine.toml").write_text(BAD["no colour"])
        await desk.tick()
        await desk.until(lambda: any("theme mine.toml" in told for told in desk.toasts), "it was not told")
        assert "#ff00ff" in desk.colors("mind")
        (tmp_path / "other.toml").write_text(GOOD)
        await desk.tick()
        await desk.press("t")
        assert "other" in desk.text


async def test_the_theme_that_is_kept_is_kept_in_a_file_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "lifesign" / "theme"
    async with seated(state([down_mind()]), kept_in=kept) as desk:
        await desk.press("t", "down", "escape")
        assert not kept.exists()
        await desk.press("t", "down", "enter")
        assert kept_theme(kept) == desk.app.theme
        assert desk.toasts == [f"theme {desk.app.theme}, kept for the next console too"]
    async with seated(state([down_mind()]), kept_in=kept / "below a file") as desk:
        await desk.press("t", "enter")
        assert desk.toasts[0].startswith("theme night, for this console alone: ")


@pytest.mark.parametrize(
    ("written", "name"),
    [(b"day\n", "day"), (b"", ""), (b"\xff\x1b[2J\n", "\ufffd\ufffd[2J"), (b"x" * 100_000, "x" * 39 + "\u2026")],
)
def test_whatever_stands_in_the_file_of_the_kept_theme_is_a_name_at_most(
    tmp_path: Path, written: bytes, name: str
) -> None:
    (tmp_path / "theme").write_bytes(written)
    assert kept_theme(tmp_path / "theme") == name
    assert kept_theme(tmp_path / "none") == kept_theme(tmp_path) == ""
