"""The report in words: the cells of its tables, and all of it as Markdown."""

from lifesign.api.report_documents import Report, Window
from lifesign.cli.present import markdown
from lifesign.text import format_duration, format_share

LAYERS = ("startable", "alive", "ready", "working")
MEANING = "uptime is up over up and down; what nobody watched is in neither"
HEADS = ("window", "uptime", "watched", "down", "incidents", "to detect", "to recover", "restarts", "to first work")


def cells(window: Window, layers: tuple[str, ...]) -> list[str]:
    """One row: the heads of `HEADS`, then the uptime of each of `layers`."""
    return [
        window.window,
        format_share(window.uptime),
        format_share(window.watched, digits=1),
        format_duration(window.down_s) if window.down_s else "-",
        str(window.incidents),
        _seconds(window.mean_detect_s),
        _seconds(window.mean_recover_s),
        f"{window.restarts_productive} of {window.restarts}" if window.restarts else "-",
        _seconds(window.mean_first_work_s),
        *(format_share(window.layers.get(layer)) for layer in layers),
    ]


def layers_of(windows: list[Window]) -> tuple[str, ...]:
    """The layers that are told of in any of them, in their order."""
    return tuple(layer for layer in LAYERS if any(layer in window.layers for window in windows))


def _seconds(value: float | None) -> str:
    return "-" if value is None else format_duration(value)


def render_report_markdown(report: Report) -> str:
    """`report` as Markdown: a table for each component."""
    lines = [
        f"# Uptime: {markdown(report.monitor)}",
        "",
        f"{markdown(report.generated_at)} · {MEANING}",
    ]
    for component in report.components:
        layers = layers_of(component.windows)
        title = f" ({markdown(component.title)})" if component.title else ""
        state = f": {markdown(component.state)}" if component.state else ""
        heads = [*HEADS, *layers]
        lines += ["", f"## {markdown(component.name)}{title}{state}", ""]
        lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        lines += ["| " + " | ".join(map(markdown, cells(window, layers))) + " |" for window in component.windows]
    return "\n".join(lines) + "\n"
