"""The newest looks until a moment of the past, and events near it, against what was written."""

from pathlib import Path

from lifesign.core.hindsight import PastLook
from lifesign.core.model import CheckId, Observation, Verdict
from lifesign.core.transcript import Entry
from lifesign.store.database import Database
from lifesign.store.history import History
from lifesign.store.past_looks import looks_until
from lifesign.store.reading import texts_near
from lifesign.text import format_timestamp
from tests.store.transcripts import CONFIG, START, entries, life

FOREVER = START.wall_ns + 10**18


def written(folder: Path, batches: list[list[Entry]]) -> None:
    history = History.open(folder, history_s=1e9)
    history.begin(life(), CONFIG)
    for batch in batches:
        history.take(batch)
    assert history.close(20)


def naive(batch: list[Entry], component: str, check: str, until_ns: int) -> PastLook | None:
    """The same, read forwards from a list."""
    seen = [entry for entry in batch if isinstance(entry, tuple) and entry[1] == CheckId(component, check)]
    seen = [entry for entry in seen if entry[0].wall_ns // 1_000_000 <= until_ns // 1_000_000]
    if not seen:
        return None
    verdicts = [entry[3].verdict for entry in seen if entry[3].verdict is not Verdict.UNKNOWN]

    def in_a_row(*wanted: Verdict) -> int:
        count = 0
        for verdict in reversed(verdicts):
            if verdict not in wanted:
                break
            count += 1
        return count

    now, _, _, last = seen[-1]
    failures = in_a_row(Verdict.FAIL)
    return PastLook(
        now.wall_ns // 1_000 * 1_000,
        last.verdict,
        last.message,
        round(last.latency_s * 1e6) / 1e6,
        failures if failures < len(verdicts) else None,
        in_a_row(Verdict.OK),
        in_a_row(Verdict.OK, Verdict.WARN),
        last.signal.timestamp_ns if last.signal else None,
    )


def test_the_looks_of_a_moment_are_those_that_were_newest_then(tmp_path: Path) -> None:
    batch = list(entries(3, 4_000))
    written(tmp_path, [batch[:1_000], batch[1_000:2_500], batch[2_500:]])
    ticks = [entry for entry in batch if isinstance(entry, tuple)]
    for place in (0, 40, 999, 1_500, len(ticks) - 1):
        until_ns = ticks[place][0].wall_ns
        for component in ("c0", "c1", "c2"):
            found = looks_until(tmp_path, component, (), until_ns)
            for check in ("port", "beat", "process"):
                wanted, look = naive(batch, component, check, until_ns), found.get(check)
                assert (wanted is None) is (look is None)
                if wanted is not None and look is not None:
                    assert (look.at_ns, look.verdict, look.message) == (wanted.at_ns, wanted.verdict, wanted.message)
                    assert abs((look.latency_s or 0) - (wanted.latency_s or 0)) < 2e-6
                    assert look.signal_ns == wanted.signal_ns
                    assert look.failures == wanted.failures
                    assert (min(look.successes, 100), min(look.not_failed, 100)) == (
                        min(wanted.successes, 100),
                        min(wanted.not_failed, 100),
                    )


def test_how_many_failed_in_a_row_is_not_known_where_the_first_of_them_is_not_kept(tmp_path: Path) -> None:
    batch: list[Entry] = []
    for second in range(5):
        now = START.after(second * 10**9)
        batch += [now, (now, CheckId("c0", "port"), now.mono_ns, Observation(Verdict.FAIL, "refused"))]
    written(tmp_path, [batch])
    assert looks_until(tmp_path, "c0", (), FOREVER)["port"].failures is None
    assert looks_until(tmp_path, "c9", (), FOREVER) == {}


def test_without_a_history_there_are_no_looks(tmp_path: Path) -> None:
    assert looks_until(tmp_path, "c0", (), FOREVER) == {}
    (tmp_path / "history.db").write_bytes(b"no database")
    assert looks_until(tmp_path, "c0", (), FOREVER) == {}


def test_the_events_nearest_to_a_moment_come_first_on_either_side(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    database.open()
    stamps = [format_timestamp(START.wall_ns + second * 10**9) for second in range(40)]
    database.write([(ts, f'{{"ts":"{ts}","component":"c{n % 2}"}}') for n, ts in enumerate(stamps)], {})

    def near(place: int, *needles: str, later: bool, most: int = 3) -> list[int]:
        found = texts_near(tmp_path / "state.db", needles, stamps[place], later=later, most=most)
        return [stamps.index(text[7:31]) for text in found]

    assert near(20, '"component":"c0"', later=False) == [18, 16, 14]
    assert near(20, '"component":"c0"', later=True) == [22, 24, 26]
    assert near(20, '"component":"c0"', '"component":"c1"', later=True) == [21, 22, 23]
    assert near(0, '"component":"c0"', later=False) == []
    assert near(39, '"component":"c1"', later=True) == []
    assert near(2, '"component":"c"', later=False) == []
    assert near(3, '"component":"c0"', later=False, most=1) == [2]
    database.close()
    assert texts_near(tmp_path / "none.db", ("x",), stamps[0], later=True, most=1) == []
