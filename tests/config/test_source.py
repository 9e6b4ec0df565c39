"""The config as a file: where it is found, whom it may belong to, and what is said where it is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifesign.config import ConfigError, ConfigNotFound, find_config, load
from tests.config.writing import MINIMAL, lines, refused, write


def only_problem(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert problem.line >= 1
    return str(problem)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "lifesign.toml:1: the file is empty (a first one stands in the README)"),
        (b" \n\n", "lifesign.toml:1: the file is empty (a first one stands in the README)"),
        (b"a = 1\nb = = 2\n", "lifesign.toml:2: this is no TOML: Invalid value (at column 5)"),
        (b"[a.b]\n[a.b]\n", "lifesign.toml:2: this is no TOML: Cannot declare a.b twice (at column 5)"),
        (b"a = 1\na = 2\n", "lifesign.toml:2: this is no TOML: a key is set twice (at column 6)"),
        (b"\na = [1,\n2,\n", "lifesign.toml:3: this is no TOML: Invalid value (at the end of the file)"),
        (b"a = 1\nb = '\xff'\n", "lifesign.toml:2: this file is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "lifesign.toml:1: brackets are nested too deep"),
    ],
)
def test_what_is_no_config_at_all_is_told_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    assert lines(refused(tmp_path, content), tmp_path) == [told]


def test_a_number_of_five_thousand_digits_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "a = " + "1" * 5000)
    assert "this is no TOML" in problem.reason


def test_a_file_over_a_mebibyte_is_refused_unread(tmp_path: Path) -> None:
    assert "larger than 8192 KiB" in only_problem(write(tmp_path, b"#" * (8 * 1024 * 1024 + 1)))


def test_a_file_of_exactly_a_mebibyte_is_read(tmp_path: Path) -> None:
    text = MINIMAL.encode()
    assert load(write(tmp_path, text + b"#" * (1024 * 1024 - len(text))), {}).components


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()
    assert load(write(tmp_path, text), {}).components[0].spec.name == "gateway"


def test_a_folder_is_told_as_a_folder(tmp_path: Path) -> None:
    assert "it is a folder" in only_problem(tmp_path)


def test_a_fifo_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lifesign.toml"
    os.mkfifo(path, 0o600)
    assert "not a regular file" in only_problem(path)


def test_a_link_that_goes_in_a_circle_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "lifesign.toml"
    path.symlink_to(path)
    assert "cannot read this file" in only_problem(path)


@pytest.mark.parametrize(("mode", "who"), [(0o620, "its group"), (0o602, "everybody"), (0o666, "everybody")])
def test_a_config_that_others_can_write_is_refused_and_told_how_to_mend_it(tmp_path: Path, mode: int, who: str) -> None:
    path = write(tmp_path, MINIMAL)
    path.chmod(mode)
    told = only_problem(path)
    assert f"{who} can write it" in told
    assert f"chmod go-w {path}" in told


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o755])
def test_a_config_that_others_can_only_read_is_taken(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, MINIMAL)
    path.chmod(mode)
    assert load(path, {}).components


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_config_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    os.chown(path, 12345, -1)
    assert "belongs to uid 12345" in only_problem(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_config_that_we_may_not_read_is_told_so(open_folder: Path) -> None:
    path = write(open_folder, MINIMAL)
    path.chmod(0o600)
    code = (
        "import os, sys; from pathlib import Path; import lifesign.config as c\n"
        "c.load; os.setgid(12345); os.setuid(12345)\n"
        "try: c.load(Path(sys.argv[1]), {})\nexcept c.ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "cannot read this file: Permission denied" in done.stdout, done.stderr


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_config_is_looked_for_in_the_contracts_order(empty: Path) -> None:
    environ = {"HOME": str(empty / "home"), "XDG_CONFIG_HOME": str(empty / "xdg")}
    user = empty / "xdg/lifesign"
    user.mkdir(parents=True)
    write(user, MINIMAL)
    assert find_config(None, environ) == user / "lifesign.toml"
    write(empty, MINIMAL)
    assert find_config(None, environ) == Path("lifesign.toml")
    named = write(empty, MINIMAL, "named.toml")
    environ["LIFESIGN_CONFIG"] = str(named)
    assert find_config(None, environ) == named
    explicit = write(empty, MINIMAL, "explicit.toml")
    assert find_config(str(explicit), environ) == explicit


def test_without_a_config_every_place_is_told_in_one_line(empty: Path) -> None:
    with pytest.raises(ConfigNotFound) as caught:
        find_config(None, {"HOME": str(empty / "home")})
    told = str(caught.value)
    places = ("$LIFESIGN_CONFIG", "lifesign.toml", f"{empty}/home/.config/lifesign/lifesign.toml", "/etc/lifesign/")
    assert all(place in told for place in places)
    assert "\n" not in told


@pytest.mark.parametrize(("explicit", "environ"), [("gone.toml", {}), (None, {"LIFESIGN_CONFIG": "gone.toml"})])
def test_a_named_config_that_is_not_there_is_never_replaced_by_another(
    empty: Path, explicit: str | None, environ: dict[str, str]
) -> None:
    write(empty, MINIMAL)
    with pytest.raises(ConfigNotFound, match=r"gone\.toml"):
        find_config(explicit, environ)


def test_reading_a_config_imports_nothing_heavy(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    code = (
        "import sys; from pathlib import Path; import lifesign.config as c; c.load(Path(sys.argv[1]), {'HOME': '/h'})\n"
        "print(sorted({'tomlkit', 're2', 'asyncio', 'difflib', 'click', 'textual', 'psutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
