"""Gathering: what comes while a statement is under way goes together, and nothing is forgotten."""

import asyncio

import asyncpg

from storage.gather import Gather


async def test_a_gather_alone_goes_alone_and_under_load_together() -> None:
    batches: list[list[int]] = []

    async def run(items: list[int]) -> list[int]:
        batches.append(items)
        await asyncio.sleep(0)
        return [item * 2 for item in items]

    gather = Gather(run, 3)

    assert await gather(1) == 2
    assert await asyncio.gather(*map(gather, range(5))) == [0, 2, 4, 6, 8]
    assert batches == [[1], [0, 1, 2], [3, 4]]


async def test_a_gather_splits_until_the_bad_item_is_named() -> None:
    async def run(items: list[int]) -> list[int]:
        if 3 in items:
            raise asyncpg.CharacterNotInRepertoireError("three")
        return items

    gather = Gather(run)

    results = await asyncio.gather(*map(gather, range(6)), return_exceptions=True)

    assert [result for result in results if not isinstance(result, Exception)] == [0, 1, 2, 4, 5]
    assert isinstance(results[3], asyncpg.CharacterNotInRepertoireError)


async def test_a_gather_tries_again_after_a_deadlock() -> None:
    tries = 0

    async def run(items: list[int]) -> list[int]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise asyncpg.DeadlockDetectedError("tried")
        return items

    assert await Gather(run)(1) == 1


async def test_a_cancelled_caller_does_not_disturb_the_others() -> None:
    gate = asyncio.Event()

    async def run(items: list[int]) -> list[int]:
        await gate.wait()
        return items

    gather = Gather(run)
    tasks = [asyncio.create_task(gather(number)) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    tasks[0].cancel()
    tasks[1].cancel()
    gate.set()

    assert await tasks[2] == 2


async def test_an_item_that_comes_as_the_last_one_is_answered_is_not_forgotten() -> None:
    async def run(items: list[int]) -> list[int]:
        return items

    gather = Gather(run)

    async def ask_twice() -> list[int]:
        return [await gather(1), await gather(2)]

    assert await asyncio.wait_for(ask_twice(), 1) == [1, 2]
