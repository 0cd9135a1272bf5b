"""Methods by which a bot receives: updates by polling or webhook, callback answers, files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehearsal.errors import ApiError, bad_request
from rehearsal.files import DOWNLOAD_LIMIT
from rehearsal.updates import CALLBACK_LIFE_S
from rehearsal.world import Webhook

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.methods.calls import Call

POLL_MOST_S = 50
POPUP_LIMIT = 200  # characters of answerCallbackQuery
SECRET_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
SECRET_MOST = 256
CONNECTIONS_MOST = 100
POLL_BY_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
POLL_BY_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


async def get_updates(call: Call) -> list[Json]:
    """Return updates, waiting up to `timeout` seconds for one. A newer call ends an older one by 409."""
    bot, queue = call.bot, call.bot.queue
    if bot.webhook:
        raise ApiError(409, POLL_BY_WEBHOOK)
    if bot.poller and not bot.poller.done():
        bot.poller.set_result(POLL_BY_POLL)
    if "allowed_updates" in call.params:
        queue.allowed = call.params["allowed_updates"]
    limit = min(max(call.get("limit", 100), 1), 100)
    offset = call.get("offset")
    seconds = min(max(call.get("timeout", 0), 0), POLL_MOST_S)
    updates = queue.poll(offset, limit)
    if updates or not seconds:
        return updates
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    bot.poller = ended
    waiting = asyncio.ensure_future(queue.wait(seconds))
    # Whichever comes first: an update, the end of the time, or the poll that takes this one's place.
    waiting.add_done_callback(lambda _done: ended.cancel())
    try:
        await asyncio.wait([ended])
        if not ended.cancelled():
            raise ApiError(409, ended.result())
        return queue.poll(None, limit)
    finally:
        waiting.cancel()
        if bot.poller is ended:
            bot.poller = None


async def set_webhook(call: Call) -> bool:
    """Have updates delivered to an address; an empty one goes back to polling."""
    url = call.params["url"]
    if not url:
        return await delete_webhook(call)
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = call.get("secret_token")
    if secret and (len(secret) > SECRET_MOST or not SECRET_LETTERS.issuperset(secret)):
        raise bad_request("secret token contains unallowed characters")
    if call.get("drop_pending_updates"):
        call.bot.queue.drop_all()
    if "allowed_updates" in call.params:
        call.bot.queue.allowed = call.params["allowed_updates"]
    connections = min(max(call.get("max_connections", 40), 1), CONNECTIONS_MOST)
    call.bot.webhook = Webhook(url, secret, connections, "certificate" in call.params)
    if call.bot.poller and not call.bot.poller.done():
        call.bot.poller.set_result("Conflict: terminated by setWebhook request")
    call.webhooks.start(call.bot)
    return True


async def delete_webhook(call: Call) -> bool:
    """Go back to polling."""
    call.webhooks.stop(call.bot)
    call.bot.webhook = None
    if call.get("drop_pending_updates"):
        call.bot.queue.drop_all()
    return True


async def get_webhook_info(call: Call) -> Json:
    """Tell where updates go and what went wrong last."""
    hook = call.bot.webhook
    info: Json = {
        "url": hook.url if hook else "",
        "has_custom_certificate": bool(hook and hook.certificate),
        "pending_update_count": len(call.bot.queue),
    }
    if hook:
        info["max_connections"] = hook.max_connections
        if hook.last_error:
            info["last_error_date"], info["last_error_message"] = hook.last_error
    if call.bot.queue.allowed:
        info["allowed_updates"] = call.bot.queue.allowed
    return info


async def answer_callback_query(call: Call) -> bool:
    """Answer a tap, once, within 150 seconds."""
    asked = call.bot.callbacks.pop(call.params["callback_query_id"], None)
    if asked is None or call.world.clock.now() - asked.asked > CALLBACK_LIFE_S:
        raise bad_request(QUERY_TOO_OLD)
    text = call.get("text", "")
    if len(text) > POPUP_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    chat = call.bot.chats[asked.person]
    chat.popups.append(
        {
            "text": text,
            "alert": call.get("show_alert", False),
            "query": call.params["callback_query_id"],
        }
    )
    chat.changed()
    return True


async def get_file(call: Call) -> Json:
    """Give a path to download from, valid for an hour."""
    stored = call.world.files.by_id.get(call.params["file_id"])
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if stored.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    call.world.files.given[stored.path] = call.world.clock.now()
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }
