import asyncio


async def work(n):
    await asyncio.sleep(0.01 * n)
    print("task", n)
    return n


async def main():
    print(sum(await asyncio.gather(*(work(n) for n in range(3)))))
    asyncio.create_task(never())
    await asyncio.sleep(0)
    raise RuntimeError("at the end")


async def never():
    await asyncio.Event().wait()


asyncio.run(main())
