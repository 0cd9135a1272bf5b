// The list of messages. What did not change keeps its node: a spoiler once lifted stays lifted.

import { element } from "/entities.js";
import { messageNode } from "/message.js";

const log = document.getElementById("log");
const known = new Map();

export function drawLog(view, doings) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  const last = view.messages.at(-1)?.message_id;
  const children = [];
  const standing = new Set();
  let day = "";
  let album = null;
  if (!view.started) children.push(about(view.bot));
  for (const message of view.messages) {
    standing.add(message.message_id);
    const date = new Date(message.date * 1000).toLocaleDateString([], { day: "numeric", month: "long" });
    if (date !== day) { children.push(element("p", "day", date)); day = date; album = null; }
    const node = nodeOf(message, doings);
    if (!message.media_group_id) { album = null; children.push(node); continue; }
    if (album?.dataset.group !== message.media_group_id) {
      album = element("div", `album${message.from.is_bot ? "" : " own"}`);
      album.dataset.group = message.media_group_id;
      children.push(album);
    }
    album.append(node);
  }
  for (const id of known.keys()) if (!standing.has(id)) known.delete(id);
  log.replaceChildren(...children);
  if (atEnd || last !== Number(log.dataset.last)) log.scrollTop = log.scrollHeight;
  log.dataset.last = last ?? "";
}

export function forgetLog() {
  known.clear();
  log.dataset.last = "";
}

function nodeOf(message, doings) {
  const source = JSON.stringify(message);
  const before = known.get(message.message_id);
  if (before?.source === source) return before.node;
  const node = messageNode(message, doings);
  known.set(message.message_id, { source, node });
  return node;
}

function about(bot) {
  const box = element("div", "about");
  box.dir = "auto";
  if (bot.description) box.append(element("strong", "", "What can this bot do?"), bot.description);
  else box.append("No messages here yet. Press Start to write to the bot.");
  return box;
}

log.addEventListener("load", () => {
  // A picture that arrives late must not push the newest message out of sight.
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 500) log.scrollTop = log.scrollHeight;
}, true);
