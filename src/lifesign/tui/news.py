"""What has changed between two snapshots, as far as it is worth a bell, a title or a line: pure."""

import traceback

import msgspec

from lifesign.api.documents import Component
from lifesign.text import clean
from lifesign.tui.snapshot import Snapshot


def newly_down(before: Snapshot, after: Snapshot) -> bool:
    """Whether a component went down between two documents. The first document is no transition."""
    if before.state is None or after.state is None or before.state is after.state:
        return False
    known = {component.name: component.state for component in before.state.components}
    return any(
        component.state == "down" and known.get(component.name) != "down" for component in after.state.components
    )


def title_of(snapshot: Snapshot, now_s: float) -> str:
    """The terminal's title: how many are down."""
    if snapshot.state is None or not snapshot.live(now_s):
        return "lifesign: disconnected"
    down = snapshot.state.counts.down
    return f"lifesign: {down} down" if down else f"lifesign: {snapshot.state.overall}"


def log_files(component: Component, snapshot: Snapshot, *, local: bool) -> tuple[tuple[tuple[str, str], ...], str]:
    """The check and path of each file that `component` is judged by, logs first; or why none can be shown."""
    checks = sorted(component.checks, key=lambda check: check.type != "log")
    files = tuple((check.name, check.path) for check in checks if not isinstance(check.path, msgspec.UnsetType))
    if not files:
        return (), f"{component.name} has no log and no heartbeat file among its checks"
    if snapshot.archived:
        return (), "a snapshot holds no files"
    if not local:
        host = snapshot.state.monitor.host if snapshot.state is not None else ""
        return (), f"{files[0][1]} is on {host or 'the other machine'}: a console reads files of its own machine alone"
    return files, ""


def fault_line(error: BaseException | None) -> str:
    """One line on a fault of the console's own: what kind, and where. No message and no variable: they hold data."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    ours = [frame for frame in frames if "lifesign" in frame.filename] or list(frames)
    where = f" at {clean(ours[-1].filename.rpartition('/')[2], 60)}:{ours[-1].lineno}" if ours else ""
    return f"lifesign: the console failed ({type(error).__name__}{where}); please report this line"
