"""The Bot API as data: no request and no answer passes that its documentation does not know.

    api = BotApi.load()
    api.read_request("sendMessage", {"chat_id": "5", "text": "hi"})   # {"chat_id": 5, "text": "hi"}
    api.check_answer("sendMessage", message)                          # raises UndocumentedError

Requests are read kindly (numbers and JSON may come as strings, as in forms); answers must be exact. The data
is Bot API 10.1 in `data/bot-api.json`, made by `rehearsal.reduce_bot_api`. Stricter than Telegram in one
point: a parameter that is not documented is refused here, where Telegram ignores it, because it is always a
mistake.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rehearsal.errors import ApiError, UndocumentedError, bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
DATA = Path(__file__).parent / "data" / "bot-api.json"
TRUE_WORDS = frozenset({"true", "yes", "1"})
FALSE_WORDS = frozenset({"false", "no", "0", ""})
ARRAY = "Array of "

# What Telegram says when one of these is missing; for the rest it depends on the method.
MISSING = {
    "chat_id": "chat_id is empty",
    "from_chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "message_ids": "message identifiers are not specified",
    "file_id": "file_id not specified",
    "reply_markup": "object expected as reply markup",
}


class Upload(NamedTuple):
    """A file that came in a multipart request."""

    name: str
    content: bytes


class _MismatchError(Exception):
    """A value is not of the documented type."""

    def __init__(self, path: str, wanted: str) -> None:
        super().__init__(f"{path} must be {wanted}")


class BotApi:
    """Methods and types by name; `fields` maps a name to its possible types."""

    def __init__(self, data: Json) -> None:
        self.version: str = data["version"]
        self.methods: dict[str, Json] = data["methods"]
        self._types: dict[str, Json] = data["types"]
        self._by_lower = {name.lower(): name for name in self.methods}
        for shape in (*self.methods.values(), *self._types.values()):
            shape["needed"] = frozenset(shape.get("required", ()))

    @staticmethod
    @cache
    def load() -> BotApi:
        """Read the data file, once for all servers of a process."""
        return BotApi(json.loads(DATA.read_text(encoding="utf-8")))

    def method_name(self, written: str) -> str | None:
        """Give a method's documented spelling: Telegram does not mind upper or lower case."""
        return self._by_lower.get(written.lower())

    def read_request(self, method: str, given: Mapping[str, Any]) -> Json:
        """Return the parameters with their documented types. Raises ApiError 400."""
        shape = self.methods[method]
        fields: dict[str, list[str]] = shape["fields"]
        for name in shape["required"]:
            if given.get(name) is None:
                raise bad_request(MISSING.get(name, f"rehearsal: {name} of {method} is not specified"))
        read = {}
        for name, value in given.items():
            if name not in fields:
                raise bad_request(f"rehearsal: {method} has no parameter {name}")
            try:
                read[name] = self._read(fields[name], value, name)
            except _MismatchError as error:
                raise _refusal(name, error) from None
        return read

    def read(self, type_name: str, value: Any) -> Any:
        """Read one value of a documented type kindly. Raises ApiError 400."""
        try:
            return self._read([type_name], value, type_name)
        except _MismatchError as error:
            raise bad_request(f"rehearsal: {error}") from None

    def check_answer(self, method: str, result: Any) -> None:
        """Raise UndocumentedError unless `result` is what the method returns."""
        self.check(self.methods[method]["returns"], result, method)

    def check(self, types: list[str], value: Any, path: str) -> None:
        """Raise UndocumentedError unless `value` is exactly of one of the types."""
        try:
            self._match(types, value, path)
        except _MismatchError as error:
            raise UndocumentedError(str(error)) from None

    def types_of_update(self, kind: str) -> list[str]:
        """Return the documented types of one kind of update, such as `message`."""
        types: list[str] = self._types["Update"]["fields"][kind]
        return types

    # Reading requests

    def _read(self, types: list[str], value: Any, path: str) -> Any:
        mismatch = _MismatchError(path, " or ".join(types))
        for type_name in types:
            try:
                return self._read_one(type_name, value, path)
            except _MismatchError as error:
                mismatch = error if len(types) == 1 else mismatch
        raise mismatch

    def _read_one(self, type_name: str, value: Any, path: str) -> Any:
        if type_name.startswith(ARRAY):
            items = _from_text(value, path, type_name)
            if not isinstance(items, list):
                raise _MismatchError(path, type_name)
            inner = [type_name.removeprefix(ARRAY)]
            return [self._read(inner, item, f"{path}[{place}]") for place, item in enumerate(items)]
        if type_name in PLAIN:
            return PLAIN[type_name](value, path)
        shape = self._types[type_name]
        if "one_of" in shape:
            return self._read(shape["one_of"], value, path)
        # "For simple text buttons, String can be used instead": the one shorthand the Bot API has.
        if type_name == "KeyboardButton" and isinstance(value, str):
            return {"text": value}
        fields = _from_text(value, path, type_name)
        if not isinstance(fields, dict):
            raise _MismatchError(path, type_name)
        self._same_names(shape, fields, path, type_name)
        return {
            name: self._read(shape["fields"][name], item, f"{path}.{name}")
            for name, item in fields.items()
            if item is not None
        }

    # Checking answers

    def _match(self, types: list[str], value: Any, path: str) -> None:
        mismatch = _MismatchError(path, " or ".join(types))
        for type_name in types:
            try:
                self._match_one(type_name, value, path)
            except _MismatchError as error:
                mismatch = error
            else:
                return
        raise mismatch

    def _match_one(self, type_name: str, value: Any, path: str) -> None:
        if type_name.startswith(ARRAY):
            if not isinstance(value, list):
                raise _MismatchError(path, type_name)
            inner = [type_name.removeprefix(ARRAY)]
            for place, item in enumerate(value):
                self._match(inner, item, f"{path}[{place}]")
        elif type_name in EXACT:
            if type(value) not in EXACT[type_name]:
                raise _MismatchError(path, type_name)
        elif "one_of" in self._types[type_name]:
            self._match(self._types[type_name]["one_of"], value, path)
        else:
            if not isinstance(value, dict):
                raise _MismatchError(path, type_name)
            shape = self._types[type_name]
            self._same_names(shape, value, path, type_name)
            for name, item in value.items():
                self._match(shape["fields"][name], item, f"{path}.{name}")

    def _same_names(self, shape: Json, fields: Json, path: str, type_name: str) -> None:
        missing = shape["needed"] - fields.keys()
        if missing:
            raise _MismatchError(path, f"{type_name} with {', '.join(sorted(missing))}")
        unknown = fields.keys() - shape["fields"].keys()
        if unknown:
            raise _MismatchError(path, f"{type_name} without {', '.join(sorted(unknown))}")


def _refusal(name: str, error: _MismatchError) -> ApiError:
    if name == "reply_markup":
        return bad_request(f"object expected as reply markup ({error})")
    return bad_request(f"rehearsal: {error}")


def _from_text(value: Any, path: str, wanted: str) -> Any:
    """Forms carry arrays and objects as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise _MismatchError(path, f"JSON of {wanted}") from None


def _integer(value: Any, path: str) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    raise _MismatchError(path, "Integer")


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool):
        raise _MismatchError(path, "Float")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _MismatchError(path, "Float") from None


def _boolean(value: Any, path: str) -> bool:
    word = str(value).lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise _MismatchError(path, "Boolean")


def _string(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _MismatchError(path, "String")


def _file(value: Any, path: str) -> Upload:
    if isinstance(value, Upload):
        return value
    raise _MismatchError(path, "InputFile")


PLAIN = {"Integer": _integer, "Float": _number, "Boolean": _boolean, "String": _string, "InputFile": _file}
EXACT: dict[str, tuple[type, ...]] = {
    "Integer": (int,),
    "Float": (float, int),
    "Boolean": (bool,),
    "String": (str,),
}
