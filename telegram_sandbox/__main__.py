"""The sandbox in a process of its own: `python -m telegram_sandbox MODULE:FUNCTION`.

The function takes nothing and returns a `Scenario`. Once the server listens, one line of JSON
says where: host, port, public_key_pem. Lines of JSON on standard input are carried out, see
`process.answer`; at their end the server stops.
"""

import argparse
import asyncio
import gc
import json
import sys
import threading
from collections.abc import AsyncIterator

from telegram_sandbox.faults import Faults
from telegram_sandbox.process import answer, load
from telegram_sandbox.scenario import Scenario
from telegram_sandbox.server import Sandbox


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m telegram_sandbox")
    parser.add_argument("scenario", metavar="MODULE:FUNCTION", help="returns the Scenario to serve")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--file-dc", type=int, help="number of a second data centre for files")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="of every request")
    parser.add_argument("--jitter-ms", type=float, default=0.0, help="up to this much more")
    parser.add_argument("--bytes-per-second", type=float, help="of a connection, each way")
    parser.add_argument("--fault-seed", type=int, default=0, help="decides the jitter")
    parser.add_argument("--stay", action="store_true", help="serve on after the end of the input")
    return parser.parse_args()


async def _lines() -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        # Not sys.stdin: a thread that waits in it would keep the interpreter from ending.
        with open(0, closefd=False) as given:
            for line in given:
                loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _serve(options: argparse.Namespace) -> None:
    scenario = load(options.scenario)()
    if not isinstance(scenario, Scenario):
        raise TypeError(f"{options.scenario} returned no Scenario")
    # A big history is here to stay: looking through it again and again would only cost time.
    gc.freeze()
    sandbox = Sandbox(scenario, port=options.port, file_dc=options.file_dc)
    sandbox.faults = Faults(options.fault_seed)
    sandbox.faults.latency_seconds = options.latency_ms / 1000
    sandbox.faults.jitter_seconds = options.jitter_ms / 1000
    sandbox.faults.bytes_per_second = options.bytes_per_second
    async with sandbox:
        where = {"host": sandbox.host, "port": sandbox.port}
        _say(where | {"public_key_pem": sandbox.public_key_pem})
        async for line in _lines():
            _say(answer(sandbox, line))
        if options.stay:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(_options()))
    except KeyboardInterrupt:
        sys.exit(130)
