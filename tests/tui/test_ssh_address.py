"""`--connect ssh://…`, taken apart."""

import pytest

from lifesign.cli.ssh_address import SshAddress, socket_of_answer


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ssh://host", SshAddress("host")),
        ("ssh://host/", SshAddress("host")),
        ("ssh://Web-1", SshAddress("Web-1")),  # an alias of the user's config keeps its case
        ("ssh://ops@host:2222", SshAddress("ops@host", 2222)),
        ("ssh://ops@[::1]:22/run/x.sock", SshAddress("ops@::1", 22, "/run/x.sock")),
        ("ssh://host/a%20b.sock", SshAddress("host", socket="/a b.sock")),
        ("ssh://host?config=~/my.toml", SshAddress("host", config="~/my.toml")),
    ],
)
def test_an_address_is_a_destination_and_where_the_daemon_is_there(url: str, address: SshAddress) -> None:
    assert SshAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh:host",
        "ssh://-oProxyCommand=touch",
        "ssh://a@-oProxyCommand=touch",
        "ssh://host:0x16",
        "ssh://host:70000",
        "ssh://user:password@host",
        "ssh://ho st",
        "ssh://host?socket=/x",
        "ssh://host/x.sock?config=y",
        "ssh://host/a%0Ab",
        "ssh://$(id)",
    ],
)
def test_what_is_no_address_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        SshAddress.parse(url)


def test_a_path_with_blanks_and_quotes_stays_one_word_of_the_question() -> None:
    asked = SshAddress("host", config="/etc/it's here; rm x").question()
    assert asked == """lifesign console --print-socket -c '/etc/it'"'"'s here; rm x'"""


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (b"/run/lifesign.sock\n", "/run/lifesign.sock"),
        (b"welcome to host\n/run/lifesign.sock\n", "/run/lifesign.sock"),
        (b"", ""),
        (b"lifesign: no config\n", ""),
        (b"/x\x1b[2J\n", ""),
        (b"/" + b"x" * 200, ""),
    ],
)
def test_the_socket_is_what_is_printed_last_if_it_can_be_one(said: bytes, path: str) -> None:
    assert socket_of_answer(said) == path
