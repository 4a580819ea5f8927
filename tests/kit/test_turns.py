"""Who waits is called by turns: one of each address, however many of another wait."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.kit.errors import Busy
from app.kit.turns import Gate, Lines, asking

InLoop = Callable[[Callable[[], Any]], Any]


async def called(lines: Lines, waiting: dict[str, asyncio.Future[bool]]) -> list[str]:
    """In which order all are called."""
    order: list[str] = []
    while lines.call():
        order += [name for name, turn in waiting.items() if turn.done() and not turn.cancelled() and name not in order]
    return order


def test_turns_go_round_the_lines_and_in_each_by_who_came_first(in_loop: InLoop) -> None:
    async def come() -> tuple[list[str], list[int]]:
        lines, waiting, ahead = Lines(), {}, []
        for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2"):
            ahead.append(lines.ahead(name[0]))
            waiting[name] = lines.join(name[0])
        assert len(lines) == 7
        order = await called(lines, waiting)
        assert len(lines) == 0
        return order, ahead

    order, ahead = in_loop(come)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert ahead == [0, 1, 2, 3, 1, 2, 4], (
        "what each was told beforehand; those who come later to shorter lines add to it"
    )


def test_who_has_gone_is_passed_over(in_loop: InLoop) -> None:
    async def come() -> list[str]:
        lines = Lines()
        waiting = {name: lines.join(name[0]) for name in ("a1", "a2", "b1", "a3")}
        waiting["a1"].cancel()
        waiting["b1"].cancel()
        return await called(lines, waiting)

    assert in_loop(come) == ["a2", "a3"]


def test_where_too_many_wait_the_longest_line_gives_way_and_nobody_else(in_loop: InLoop) -> None:
    async def come() -> tuple[list[str], list[str]]:
        lines = Lines(most=4)
        waiting = {name: lines.join(name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "c1", "a4", "b3")}
        told = [name for name, turn in waiting.items() if turn.done()]
        assert not any(waiting[name].result() for name in told)
        assert len(lines) == 4
        return told, [name for name in await called(lines, waiting) if name not in told]

    told, order = in_loop(come)
    assert told == ["a2", "a3", "a4", "b3"], "the last of the longest for a shorter one, else who comes"
    assert order == ["a1", "b1", "c1", "b2"]


async def inside(gate: Gate, who: str, begun: list[str], until: asyncio.Event) -> None:
    asking.set(who[0])
    async with gate.turn():
        begun.append(who)
        await until.wait()


def test_a_gate_lets_so_many_in_and_the_others_by_turns(in_loop: InLoop) -> None:
    async def come() -> list[str]:
        gate, begun, until = Gate(2, seconds=5), [], asyncio.Event()
        tasks = [asyncio.create_task(inside(gate, who, begun, until)) for who in ("a1", "a2", "a3", "a4", "b1")]
        await asyncio.sleep(0)
        assert begun == ["a1", "a2"]
        assert gate.waiting == 3
        until.set()
        await asyncio.gather(*tasks)
        return begun

    assert in_loop(come) == ["a1", "a2", "a3", "b1", "a4"]


def test_who_goes_at_the_moment_of_being_called_keeps_nobody_out(in_loop: InLoop) -> None:
    async def come() -> list[str]:
        gate, begun, until = Gate(1, seconds=5), [], asyncio.Event()
        async with gate.turn():
            second = asyncio.create_task(inside(gate, "a2", begun, until))
            await asyncio.sleep(0)
            assert gate.waiting == 1
        second.cancel()
        until.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        await inside(gate, "a3", begun, until)
        return begun

    assert in_loop(come) == ["a3"]


def test_who_is_put_out_for_others_is_told_so(in_loop: InLoop) -> None:
    async def come() -> None:
        gate, until = Gate(1, seconds=5, most=1), asyncio.Event()
        tasks = [asyncio.create_task(inside(gate, who, [], until)) for who in ("a1", "a2", "a3")]
        await asyncio.sleep(0)
        until.set()
        await asyncio.gather(*tasks)

    with pytest.raises(Busy):
        in_loop(come)
