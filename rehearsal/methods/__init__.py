"""The methods a bot of private chats uses; every other documented method is answered with a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsal.methods import editing, profile, receiving, sending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rehearsal.methods.calls import Call

NAME_MOST, DESCRIPTION_MOST, SHORT_MOST = 64, 512, 120  # characters

METHODS: dict[str, Callable[[Call], Awaitable[Any]]] = {
    "getUpdates": receiving.get_updates,
    "setWebhook": receiving.set_webhook,
    "deleteWebhook": receiving.delete_webhook,
    "getWebhookInfo": receiving.get_webhook_info,
    "answerCallbackQuery": receiving.answer_callback_query,
    "getFile": receiving.get_file,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.sender("photo"),
    "sendDocument": sending.sender("document"),
    "sendVoice": sending.sender("voice"),
    "sendVideo": sending.sender("video"),
    "sendAudio": sending.sender("audio"),
    "sendMediaGroup": sending.send_media_group,
    "sendLocation": sending.send_location,
    "sendChatAction": sending.send_chat_action,
    "copyMessage": sending.copy_message,
    "editMessageText": editing.edit_message_text,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageMedia": editing.edit_message_media,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "getMe": profile.get_me,
    "getChat": profile.get_chat,
    "logOut": profile.log_out,
    "close": profile.close,
    "setMyName": profile.text_setter("name", NAME_MOST, lambda bot: bot.names),
    "getMyName": profile.text_getter("name", lambda bot: bot.names),
    "setMyDescription": profile.text_setter("description", DESCRIPTION_MOST, lambda bot: bot.descriptions),
    "getMyDescription": profile.text_getter("description", lambda bot: bot.descriptions),
    "setMyShortDescription": profile.text_setter(
        "short_description", SHORT_MOST, lambda bot: bot.short_descriptions
    ),
    "getMyShortDescription": profile.text_getter("short_description", lambda bot: bot.short_descriptions),
    "setMyCommands": profile.set_my_commands,
    "getMyCommands": profile.get_my_commands,
    "deleteMyCommands": profile.delete_my_commands,
    "setChatMenuButton": profile.set_chat_menu_button,
    "getChatMenuButton": profile.get_chat_menu_button,
}
