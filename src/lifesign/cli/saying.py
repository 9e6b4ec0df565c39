"""Lines on standard output and error, as `click.echo` writes them, for what must not wait for click."""

import sys


def say(line: str, *, err: bool = False) -> None:
    """Writes one line at once; a sign that the stream's encoding has not is escaped. Raises BrokenPipeError."""
    stream = sys.stderr if err else sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def say_bytes(content: bytes) -> None:
    """Writes UTF-8 to standard output at once, whatever its encoding. Raises BrokenPipeError."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
