"""Delivery to webhooks: the next update of a lane goes out only after the previous one got its 2xx.

A failed delivery is tried again after a growing pause, or what Retry-After asks for (an hour at most).
Answers of 410 for 23 hours close the webhook. Several targets stand for a balancer: they are used in turn, a
retry goes to the next. What a bot writes into the answer's body is not performed: the id of such a message
would be lost.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.world import Bot, Webhook, World

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name, no secret
ANSWER_WITHIN_S = 60
RETRY_AFTER_MOST_S = 3600
GONE_FOR_S = 23 * 3600


class Webhooks:
    """One worker per lane that has something to deliver."""

    def __init__(
        self,
        world: World,
        targets: tuple[str, ...] = (),
        retry_first_s: float = 1.0,
        retry_longest_s: float = 60.0,
    ) -> None:
        self._world = world
        self._targets = targets
        self._turn = count()
        self._retry_first_s = retry_first_s
        self._retry_longest_s = retry_longest_s
        self._session: aiohttp.ClientSession | None = None
        self._workers: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._slots: dict[int, asyncio.Semaphore] = {}

    def use_targets(self, targets: tuple[str, ...]) -> None:
        """Deliver to these addresses in turn, whatever setWebhook said; none returns to that."""
        self._targets = targets

    def start(self, bot: Bot) -> None:
        """Deliver what waits and what comes."""
        self.stop(bot)
        if bot.webhook is None:
            return
        self._slots[bot.id] = asyncio.Semaphore(bot.webhook.max_connections)
        bot.queue.on_put = lambda lane: self._wake(bot, lane)
        for lane in bot.queue.lanes():
            self._wake(bot, lane)

    def stop(self, bot: Bot) -> None:
        """Deliver no more."""
        bot.queue.on_put = lambda _lane: None
        for key in [known for known in self._workers if known[0] == bot.id]:
            self._workers.pop(key).cancel()

    async def close(self) -> None:
        """Stop everything."""
        workers = list(self._workers.values())
        for bot in self._world.bots.values():
            self.stop(bot)
        await asyncio.gather(*workers, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _wake(self, bot: Bot, lane: str) -> None:
        key = (bot.id, lane)
        if key not in self._workers:
            worker = asyncio.get_running_loop().create_task(self._deliver_lane(bot, lane))
            self._workers[key] = worker
            worker.add_done_callback(lambda done: self._ended(bot, lane, done))

    def _ended(self, bot: Bot, lane: str, worker: asyncio.Task[None]) -> None:
        if self._workers.get((bot.id, lane)) is worker:
            del self._workers[bot.id, lane]
            if bot.webhook and not worker.cancelled() and bot.queue.head(lane):
                self._wake(bot, lane)

    async def _deliver_lane(self, bot: Bot, lane: str) -> None:
        pause_s = self._retry_first_s
        while (hook := bot.webhook) and (update := bot.queue.head(lane)):
            async with self._slots[bot.id]:
                asked_s = await self._deliver(hook, update)
            if asked_s is None:
                bot.queue.acknowledge(update["update_id"])
                self._world.changes += 1
                pause_s = self._retry_first_s
            elif self._gone_too_long(bot, hook):
                return
            else:
                await asyncio.sleep(max(asked_s, pause_s * self._world.chance.uniform(1, 2)))
                pause_s = min(pause_s * 2, self._retry_longest_s)

    async def _deliver(self, hook: Webhook, update: Json) -> float | None:
        """Return None after a 2xx, else the pause asked for in seconds (0 when none was)."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S))
        url = self._targets[next(self._turn) % len(self._targets)] if self._targets else hook.url
        headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
        now = self._world.clock.date()
        try:
            async with self._session.post(url, json=update, headers=headers, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:  # noqa: PLR2004 - the class of success
                    hook.gone_since = None
                    return None
                hook.last_error = (now, f"Wrong response from the webhook: {answer.status} {answer.reason}")
                gone = hook.gone_since if hook.gone_since is not None else float(now)
                hook.gone_since = gone if answer.status == 410 else None  # noqa: PLR2004 - Gone
                after = answer.headers.get("Retry-After", "")
                return float(min(int(after), RETRY_AFTER_MOST_S)) if after.isdecimal() else 0.0
        except TimeoutError:
            hook.last_error = (now, "Read timeout expired")
        except aiohttp.ClientConnectorError:
            hook.last_error = (now, "Connection refused")
        except aiohttp.ClientError:
            hook.last_error = (now, "Connection closed")
        return 0.0

    def _gone_too_long(self, bot: Bot, hook: Webhook) -> bool:
        if hook.gone_since is None or self._world.clock.now() - hook.gone_since < GONE_FOR_S:
            return False
        bot.webhook = None
        bot.queue.on_put = lambda _lane: None
        return True
