"""The pictures of README.md: `python -m tests.screenshots` writes them to `screenshots/`.

What stands on them is made by the monitor's own core in an hour that is played on a clock of its own (`hour`), and
drawn by the console's own screens (`screens`) and by a real browser (`painted`, `web`). So the same code makes the same
pictures, byte for byte where they are SVG.
"""
