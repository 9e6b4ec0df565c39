"""A sink's secret is read when it is needed, and one that cannot be read is a trouble like any other."""

from pathlib import Path

import pytest

from lifesign.alerts.sink import SinkError
from lifesign.bootstrap.sinks import revealed
from lifesign.config import Secret


def test_a_secret_whose_file_is_away_is_a_trouble_that_names_the_file_and_then_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    read = revealed(Secret("file", str(file)))
    with pytest.raises(SinkError, match=f"cannot read the secret file {file}: No such file"):
        read()
    file.write_text("s3cret\n")
    file.chmod(0o600)
    assert read() == "s3cret"
