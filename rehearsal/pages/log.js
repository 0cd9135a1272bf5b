// The list of messages. What did not change keeps its node: a spoiler once lifted stays lifted, and a screen reader
// reads aloud only what is new.

import { element } from "/entities.js";
import { messageNode } from "/message.js";

const log = document.getElementById("log");
const known = new Map();
const days = new Map();
const albums = new Map();

export function drawLog(view, doings) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  const last = view.messages.at(-1)?.message_id;
  const children = [];
  const inAlbums = new Map();
  const standing = new Set();
  let day = "";
  for (const message of view.messages) {
    standing.add(message.message_id);
    const date = new Date(message.date * 1000).toLocaleDateString([], { day: "numeric", month: "long" });
    if (date !== day) children.push(kept(days, date, () => element("p", "day", date)));
    day = date;
    const node = nodeOf(message, doings);
    const group = message.media_group_id;
    if (!group) { children.push(node); continue; }
    const album = kept(albums, group, () => element("div", `album${message.from.is_bot ? "" : " own"}`));
    if (!inAlbums.has(album)) { inAlbums.set(album, []); children.push(album); }
    inAlbums.get(album).push(node);
  }
  if (!view.started) children.unshift(about(view.bot));
  for (const id of known.keys()) if (!standing.has(id)) known.delete(id);
  for (const [album, nodes] of inAlbums) put(album, nodes);
  put(log, children);
  if (atEnd || last !== Number(log.dataset.last)) log.scrollTop = log.scrollHeight;
  log.dataset.last = last ?? "";
}

function kept(nodes, key, make) {
  if (!nodes.has(key)) nodes.set(key, make());
  return nodes.get(key);
}

/** Make these the children of a node, touching none that stands where it should. */
function put(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

export function forgetLog() {
  for (const nodes of [known, days, albums]) nodes.clear();
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
