"""The benchmarks run. What they measure is for people to read, and no test."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.measure import Goal, Row, alternate, compared, duration, size
from tests.bench.table import HEAD, cells, table

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


def test_one_command_prints_one_table_with_a_figure_in_every_row():
    ended = bench("--quick", "--rounds", "1")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    title, _, *lines = ended.stdout.splitlines()
    assert "Chromium" in title
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert rows[0] == list(HEAD)
    assert {len(row) for row in rows} == {len(HEAD)}
    # Ours and, where there is a peer, its and the ratio.
    assert all(row[0] and row[3] and bool(row[1]) == bool(row[2]) == bool(row[4]) for row in rows[2:])


def test_a_subject_that_there_is_not_is_told_with_those_that_there_are():
    ended = bench("speed")

    assert ended.returncode == 2
    assert "There is no subject 'speed'. There are boot, requests" in ended.stderr


def test_figures_are_taken_in_turn_and_every_other_round_backwards():
    taken = []
    figures = alternate(3, lambda: taken.append("a") or len(taken), lambda: taken.append("b") or len(taken))

    assert ("".join(taken), figures) == ("abbaab", [[1, 4, 5], [2, 3, 6]])


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    row = compared("it", "a peer", [10.0, 100.0, 40.0], [20.0, 100.0, 60.0], spoken=duration)

    assert row == Row("it", 60.0, "a peer", 40.0, 1.5, None, duration)


@pytest.mark.parametrize(
    ("row", "ratio", "goal"),
    [
        (Row("it", 78.0, "a peer", 8000.0, 0.00975, Goal(100, 1 / 30), duration), "0.010", "≤ 100 µs, 0.033: reached"),
        (Row("it", 78.0, "a peer", 800.0, 0.0975, Goal(100, 1 / 30), duration), "0.098", "≤ 100 µs, 0.033: **missed**"),
        (Row("it", 31_000.0, goal=Goal(30_000), spoken=size), "", "≤ 30 kB: **missed**"),
        (Row("it", 31_000.0, spoken=size), "", ""),
    ],
)
def test_a_row_says_whether_its_goal_is_reached(row, ratio, goal):
    assert cells(row)[4:] == (ratio, goal)


def test_a_table_is_ready_for_the_readme():
    rows = [Row("a request", 78.0, "the original", 8000.0, 0.00975, None, duration)]

    assert table(rows).splitlines() == [
        "| what | peer | peer's | ours | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
        "| a request | the original | 8.0 ms | 78 µs | 0.010 |  |",
    ]


@pytest.mark.parametrize(
    ("spoken", "value", "text"),
    [
        (duration, 4.26, "4.3 µs"),
        (duration, 47.4, "47 µs"),
        (duration, 1_520, "1.5 ms"),
        (duration, 1_339_000, "1,339 ms"),
        (size, 20_100, "20 kB"),
        (size, 12_345_678, "12.3 MB"),
    ],
)
def test_figures_are_told_with_their_unit(spoken, value, text):
    assert spoken(value) == text
