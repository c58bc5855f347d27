"""How each kind of trouble strikes one question, and what its asker is left with.

Each takes the stage, the question and whether it strikes in its odd way; it gives the answer, or
raises `Unavailable`: then nobody knows what became of the question, and it is asked again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from dropengine.errors import Unavailable
from tests.kit.fault_proxy import Fate
from tests.kit.night.stage import Question, Stage

MEMORY: Final = "512mb"


async def kill(stage: Stage, question: Question[Any], odd: bool) -> Any:
    """The server dies before it has seen the request; or after it, but before anybody heard."""
    fate = Fate.HANG if odd else Fate.BLACK_HOLE
    answered = stage.proxy.answered[fate]
    task = await stage.sent(question, fate)
    if odd:
        await stage.proxy.answers(fate, answered + 1)
    await stage.die()
    return await task


async def stop(stage: Stage, question: Question[Any], odd: bool) -> Any:
    """The server stands still while it is asked; the asker waits, or loses its patience."""
    stage.freeze()
    try:
        task = await stage.sent(question, Fate.PASS)
        if odd:
            await stage.cut()
    finally:
        await stage.thaw()
    return await task


async def delay(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    """Given up and asked again; the first request arrives some steps later."""
    await stage.give_up(await stage.sent(question, Fate.DELAY))
    stage.late += 1
    raise Unavailable("it is still on its way")


async def dropped_reply(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    stage.proxy.plan(Fate.DROP_REPLY)
    return await question()


async def doubled_request(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    stage.proxy.plan(Fate.TWICE)
    return await question()


async def black_hole(stage: Stage, question: Question[Any], odd: bool) -> Any:
    """Neither the request arrives nor a word of it; or the request does."""
    fate = Fate.HANG if odd else Fate.BLACK_HOLE
    answered = stage.proxy.answered[fate]
    task = await stage.sent(question, fate)
    if odd:
        await stage.proxy.answers(fate, answered + 1)
    await stage.give_up(task)
    raise Unavailable("nothing was heard")


async def full_memory(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    """What was begun goes on; who begins something is told to come back."""
    await stage.control.config_set("maxmemory", "1")
    try:
        return await question()
    finally:
        await stage.control.config_set("maxmemory", MEMORY)


async def script_flush(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    await stage.control.script_flush()
    return await question()


async def client_kill(stage: Stage, question: Question[Any], _odd: bool) -> Any:
    stage.late = 0
    await stage.control.client_kill_filter(_type="normal", skipme=True)
    return await question()


STRIKES: Final[dict[str, Callable[[Stage, Question[Any], bool], Awaitable[Any]]]] = {
    "kill": kill,
    "stop": stop,
    "delay": delay,
    "dropped reply": dropped_reply,
    "doubled request": doubled_request,
    "black hole": black_hole,
    "full memory": full_memory,
    "script flush": script_flush,
    "client kill": client_kill,
}
"""All but the clock's leap, which strikes no question."""
