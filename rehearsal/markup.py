"""Reply markup: an inline keyboard that Telegram would refuse is refused; only it comes back in a message.

https://core.telegram.org/bots/api#inlinekeyboardbutton
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.world import ChatState

DATA_LIMIT = 64  # bytes of UTF-8, callback_data
COPY_LIMIT = 256  # characters, copy_text
BUTTON_LIMIT = 100  # buttons of one keyboard
STYLES = frozenset({"danger", "success", "primary"})
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def inline_of(markup: Json | None) -> Json | None:
    """Return the inline keyboard as a message shows it; None for none. Raises ApiError 400."""
    if not markup or "inline_keyboard" not in markup:
        return None
    rows = [[_button(button) for button in row] for row in markup["inline_keyboard"] if row]
    if sum(map(len, rows)) > BUTTON_LIMIT:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": rows} if rows else None


def put_keyboard(chat: ChatState, markup: Json | None) -> None:
    """Show or remove the keyboard under the text field, which no message echoes. Raises ApiError 400."""
    if markup and "keyboard" in markup:
        if any(not button["text"] for row in markup["keyboard"] for button in row):
            raise bad_request("can't parse keyboard button: text is empty")
        chat.reply_keyboard = markup
    elif markup and markup.get("remove_keyboard"):
        chat.reply_keyboard = None


def _button(button: Json) -> Json:
    actions = [name for name in ACTIONS if name in button]
    if not button["text"].strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" is empty')
    if len(actions) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
            if not actions
            else "can't parse inline keyboard button: exactly one action is expected"
        )
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= DATA_LIMIT:
        raise bad_request("BUTTON_DATA_INVALID")
    if "copy_text" in button and not 1 <= len(button["copy_text"]["text"]) <= COPY_LIMIT:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    if "style" in button and button["style"] not in STYLES:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return button
