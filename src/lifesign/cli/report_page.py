"""The report as one HTML page, in the frame of the state's: light and dark, without a script, asking nobody."""

from lifesign.api.report_documents import ComponentReport, Report
from lifesign.cli.report_words import HEADS, MEANING, cells, layers_of
from lifesign.tui.page import colour, framed, sign, stamp, text

_WIDE = "article { overflow-x: auto } td, th { white-space: nowrap }"


def render_report_page(report: Report) -> str:
    """`report` as a whole document. Whatever stands in the data is text on it, never markup."""
    body = [
        f"<header><h1>Uptime of {text(report.monitor)}</h1>",
        f'<p class="muted">{stamp(report.generated_at)} · {MEANING}</p></header>',
        *(f'<div class="cards one">{_card(component)}</div>' for component in report.components),
    ]
    return framed(f"uptime: {text(report.monitor)}", body, f".one {{ grid-template-columns: 1fr }} {_WIDE}")


def _card(component: ComponentReport) -> str:
    state = component.state or "unknown"
    title = f' <span class="muted">{text(component.title)}</span>' if component.title else ""
    layers = layers_of(component.windows)
    heads = "".join(f"<th>{head}</th>" for head in (*HEADS, *layers))
    rows = "".join(
        "<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in cells(window, layers)) + "</tr>"
        for window in component.windows
    )
    return (
        f'<article style="--state: var(--{colour(state)})"><h2><span class="state">{sign(state)} {text(state)}</span> '
        f"{text(component.name)}{title}</h2><table><tr>{heads}</tr>{rows}</table></article>"
    )
