"""The demo's tool server: an optional component that answers `/health`. Broken by killing it."""

from pathlib import Path

from lifesign.demo.program import health_server


def main(folder: Path, port: int) -> None:
    """Serves until killed."""
    del folder
    health_server(port).serve_forever()
