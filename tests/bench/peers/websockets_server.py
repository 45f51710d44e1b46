"""The peer `websockets` (Debian's python3-websockets), not compressing: greets, answers a ping, and passes everything
else on to all the others. Prints its port."""
import asyncio
import json
import uuid
from datetime import datetime, timezone

import websockets

everybody = set()


def now():
    return datetime.now(timezone.utc).isoformat()


def text(**message):
    return json.dumps(message, separators=(",", ":"))


async def serve(socket):
    everybody.add(socket)
    try:
        await socket.send(text(type="connection_established", connection_id=str(uuid.uuid4()), user_id="user_1",
                               timestamp=now()))
        async for message in socket:
            if json.loads(message)["type"] == "ping":
                await socket.send(text(type="pong", timestamp=now()))
            else:
                websockets.broadcast(everybody - {socket}, message)
    except websockets.ConnectionClosed:
        pass
    finally:
        everybody.discard(socket)


async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
