from line.conftest import Line


async def test_a_first_look(line: Line) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    try:
        await olha.taps("English", timeout_s=2)
    except Exception as e: print(e)
    for c in await line.rehearsal.driver.calls(): print(c)
    import asyncio
    await asyncio.sleep(0.5)
    for message in await olha.chat():
        print(message)
    assert 0
