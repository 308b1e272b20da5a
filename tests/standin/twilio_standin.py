#!/usr/bin/env python3
"""Starts the stand-in: `twilio_standin.py --port 0 --scenario demo`. See README.md."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aiohttp import web

from standin.api import Api
from standin.control import Control
from standin.ledger import Ledger
from standin.media import CACHE_BYTES, Media
from standin.scenario import fill
from standin.store import Store, StoreError
from standin.switches import REGISTRY, SwitchError, Switches, parse_argument


def parse_arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="an address of loopback (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--scenario", default="demo", help="demo, small, empty, bulk:N or a JSON file")
    parser.add_argument("--accounts", help="NAME:CALLS,…: random calls of accounts with these names, in the scenario's place")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epoch", help="the first day of the calls, YYYY-MM-DD, or: now")
    parser.add_argument("--state", type=Path, help="a folder in which changes outlive the process")
    parser.add_argument("--cache-mb", type=int, default=CACHE_BYTES >> 20, help="of bodies that are kept (default: %(default)s)")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME[=VALUE]")
    parser.add_argument("--end-with-parent", action="store_true", help="end when the process that started it is gone")
    parser.add_argument("--list-switches", action="store_true", help="print them, and end")
    return parser.parse_args(argv)


async def serve(arguments: argparse.Namespace) -> None:
    store, switches, ledger = Store(), Switches(), Ledger()
    label = fill(store, arguments.scenario, arguments.seed, arguments.epoch, arguments.accounts)
    if arguments.state is not None:
        store.open_state(arguments.state, label)
    for argument in arguments.switch:
        switches.set(*parse_argument(argument))
    api = Api(store, switches, Media(arguments.cache_mb << 20), ledger)
    control = Control(api)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await (control if request.path.startswith("/_control/") else api).handle(request)

    server = web.Server(handle, access_log=None, keepalive_timeout=75)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, arguments.host, arguments.port, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    print(f"listening on http://{arguments.host}:{port}", flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    parent = os.getppid()
    while not stop.is_set() and not (arguments.end_with_parent and os.getppid() != parent):
        try:
            await asyncio.wait_for(stop.wait(), timeout=2 if arguments.end_with_parent else None)
        except TimeoutError:
            continue
    await asyncio.wait_for(runner.cleanup(), timeout=3)


def main() -> int:
    arguments = parse_arguments()
    if arguments.list_switches:
        for name, switch in REGISTRY.items():
            print(f"{name:28} {switch.takes:34} {switch.default!r:18} {switch.help}")
        return 0
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(serve(arguments))
    except (StoreError, SwitchError, ValueError, OSError) as error:
        print(f"twilio_standin: {error}", file=sys.stderr)
        return 1
    except TimeoutError:
        pass  # a stalled answer does not keep it
    return 0


if __name__ == "__main__":
    sys.exit(main())
