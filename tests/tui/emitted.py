"""What a program wrote to a terminal, taken apart as a terminal does: text, controls and sequences. It accepts nothing
that it does not know."""

import re
from collections import Counter
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\x1b\[(?P<private>[<=>?]?)(?P<params>[0-9:;]*)(?P<between>[\x20-\x2f]*)(?P<final>[\x40-\x7e])
    |\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)
    |\x1b(?P<string>[PX^_])(?P<payload>[^\x1b\x07]*)(?:\x07|\x1b\\)
    |\x1b(?P<plain>[\x20-\x2f]*[\x30-\x7e])
    |(?P<control>[\x00-\x1f\x7f-\x9f])
    |(?P<text>[^\x00-\x1f\x7f-\x9f]+)""",
    re.VERBOSE,
)
# C0, DEL, C1, bidi, zero-width, line separators, invisible letters, tags: reliability.md, P2, written down anew.
STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)


@dataclass
class Emitted:
    """The parts. `kinds`: every sequence without its numbers, except modes, whose numbers are their meaning."""

    text: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    sgr: set[int] = field(default_factory=set)
    controls: set[str] = field(default_factory=set)
    strings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, written: bytes) -> "Emitted":
        """Raises UnicodeDecodeError for bytes that are no UTF-8, ValueError for a sequence that is none."""
        whole, emitted, at = written.decode("utf-8"), cls(), 0
        while at < len(whole):
            token = _TOKEN.match(whole, at)
            if token is None:
                raise ValueError(f"no sequence: {whole[at : at + 60]!r}")
            emitted._take(token)
            at = token.end()
        return emitted

    def _take(self, token: "re.Match[str]") -> None:
        parts = token.groupdict()
        if parts["text"] is not None:
            self.text.append(parts["text"])
        elif parts["control"] is not None:
            self.controls.add(parts["control"])
        elif parts["final"] == "m" and not parts["private"]:
            self.sgr |= codes(parts["params"])
        elif parts["final"] is not None:
            modes = parts["params"] if parts["final"] in "hlrstc" else ""
            self.kinds[f"CSI {parts['private']}{modes}{parts['between']}{parts['final']}"] += 1
        elif parts["osc"] is not None:
            self.kinds[f"OSC {parts['osc'].partition(';')[0]}"] += 1
            self.strings.append(parts["osc"])
        elif parts["string"] is not None:
            self.kinds[f"ESC {parts['string']} {parts['payload']}"] += 1
        else:
            self.kinds[f"ESC {parts['plain']}"] += 1


def codes(params: str) -> set[int]:
    """The codes of one SGR sequence; the numbers of a colour are none. Colons, which we never write, make it -1."""
    if ":" in params:
        return {-1}
    found: set[int] = set()
    numbers = [int(number or 0) for number in params.split(";")]
    while numbers:
        code = numbers.pop(0)
        found.add(code)
        if code in {38, 48} and numbers:
            del numbers[: 2 if numbers[0] == 5 else 4]
    return found
