"""Circles among dependencies; the oracle is the standard library's topological sort."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lifesign.config.rules import circles
from tests.config.writing import lines, loaded, refused

NAMES = "abcdef"
GRAPHS = st.fixed_dictionaries({name: st.lists(st.sampled_from(NAMES), max_size=3, unique=True) for name in NAMES})


def has_circle(graph: dict[str, list[str]]) -> bool:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError:
        return True
    return False


@given(GRAPHS)
def test_a_circle_is_found_exactly_where_there_is_one(graph: dict[str, list[str]]) -> None:
    found = circles(graph)
    assert bool(found) == has_circle(graph)
    for circle in found:
        assert all(parent in graph[child] for child, parent in pairwise([*circle, circle[0]]))


@given(GRAPHS)
def test_once_an_edge_of_each_told_circle_is_gone_none_is_left(graph: dict[str, list[str]]) -> None:
    mended = {name: list(parents) for name, parents in graph.items()}
    for circle in circles(graph):
        if circle[0] in mended[circle[-1]]:
            mended[circle[-1]].remove(circle[0])
    assert not has_circle(mended)


def test_three_thousand_components_in_a_row_are_no_circle_and_no_recursion() -> None:
    graph = {str(number): [str(number + 1)] for number in range(3000)} | {"3000": []}
    assert circles(graph) == []


def test_two_push_checks_whose_sockets_would_be_one_are_refused_with_both_names(tmp_path: Path) -> None:
    push = '[components."{}".checks."{}"]\ntype = "{}"\n{}\n'
    text = push.format("a.b", "c", "push", "") + push.format("a", "b.c", "push", "")
    [line] = lines(refused(tmp_path, text), tmp_path)
    assert line.startswith('lifesign.toml:4: components.a.checks."b.c": its socket would be notify/a.b.c, ')
    assert 'which is that of components."a.b".checks.c' in line
    heartbeat = push.format("a", "b.c", "heartbeat", 'path = "x"')
    assert len(loaded(tmp_path, push.format("a.b", "c", "push", "") + heartbeat).components) == 2
