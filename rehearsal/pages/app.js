// The page: one person's chat with one bot, drawn again whenever the server says that it changed.

import { ask } from "/api.js";
import { beginEdit, beginMove, beginReply, setUpComposer } from "/composer.js";
import { element } from "/entities.js";
import { drawLog, forgetLog } from "/log.js";
import { drawBots, drawClock, drawFaults, drawPeople, drawUnheard, setUpPanels } from "/panels.js";

const FIRST_PERSON = "Olha";
const DOING = { typing: "typing", upload_photo: "sending a photo", upload_document: "sending a file", record_voice: "recording" };
const TOAST_MS = 4000;
const by = (id) => document.getElementById(id);
const here = { person: 0, bot: 0, events: null, popups: null, busy: new Map(), toast: 0 };

async function begin() {
  const bots = await ask("GET", "bots");
  let people = await ask("GET", "people");
  if (!people.length) people = [await ask("POST", "people", { name: FIRST_PERSON })];
  const [person, bot] = location.hash.slice(1).split("/").map(Number);
  here.person = people.some(({ id }) => id === person) ? person : people[0].id;
  here.bot = bots.some(({ id }) => id === bot) ? bot : bots[0].id;
  await open();
}

async function open() {
  history.replaceState(null, "", `#${here.person}/${here.bot}`);
  drawPeople(await ask("GET", "people"), here.person, (id) => { here.person = id; open(); });
  drawBots(await ask("GET", "bots"), here.bot, (id) => { here.bot = id; open(); });
  await drawFaults();
  forgetLog();
  here.popups = null;
  here.events?.close();
  here.events = new EventSource(`/rehearsal/events?person=${here.person}&bot=${here.bot}`);
  here.events.addEventListener("message", refresh);
  here.events.addEventListener("error", () => { by("bot-state").textContent = "connecting"; });
}

let drawing = false;
let again = false;
async function refresh() {
  // One drawing at a time, and one more if something changed meanwhile.
  if (drawing) { again = true; return; }
  drawing = true;
  try {
    do {
      again = false;
      draw(await ask("GET", `chat?person=${here.person}&bot=${here.bot}`));
    } while (again);
  } finally { drawing = false; }
}

function draw(view) {
  if (view.person.id !== here.person || view.bot.id !== here.bot) return;
  document.title = `${view.bot.name}: rehearsal chat of ${view.person.name}`;
  by("bot-name").textContent = view.bot.name;
  by("avatar").textContent = view.bot.name[0].toUpperCase();
  by("bot-state").textContent = view.doing ? (DOING[view.doing] ?? "busy") : "bot";
  const empty = !view.started && !view.messages.length;
  by("start-bar").hidden = view.blocked || !empty;
  by("blocked-bar").hidden = !view.blocked;
  by("composer").hidden = view.blocked || empty;
  by("block-bot").hidden = view.blocked;
  drawMenu(view.menu);
  drawReplyKeyboard(view.reply_keyboard);
  drawLog(view, doings);
  drawPopups(view);
  drawClock(view.now);
  drawUnheard(view.unheard);
}

function drawMenu(commands) {
  by("commands-menu").hidden = !commands.length;
  by("commands").replaceChildren(...commands.map(({ command, description }) => {
    const made = element("button", "", `/${command}`);
    made.type = "button";
    made.append(element("small", "", description));
    made.addEventListener("click", () => { by("commands-menu").open = false; say(`/${command}`); });
    return made;
  }));
}

function drawReplyKeyboard(markup) {
  by("keyboard").hidden = !markup;
  by("keyboard").replaceChildren(...(markup?.keyboard ?? []).map((row) => {
    const line = element("div");
    line.append(...row.map(({ text }) => {
      const made = element("button", "", text);
      made.type = "button";
      made.addEventListener("click", () => say(text));
      return made;
    }));
    return line;
  }));
}

function drawPopups(view) {
  const fresh = here.popups === null ? [] : view.popups.slice(view.popups.length - (view.popups_seen - here.popups));
  here.popups = view.popups_seen;
  for (const popup of fresh) {
    const button = here.busy.get(popup.query);
    button?.removeAttribute("aria-busy");
    here.busy.delete(popup.query);
    if (!popup.text) continue;
    if (!popup.alert) { toast(popup.text); continue; }
    by("alert-text").textContent = popup.text;
    if (!by("alert").open) by("alert").showModal();
  }
}

function toast(text) {
  clearTimeout(here.toast);
  by("toast").textContent = text;
  by("toast").hidden = false;
  here.toast = setTimeout(() => { by("toast").hidden = true; }, TOAST_MS);
}

const act = (name, fields) => ask("POST", "act", { act: name, person: here.person, bot: here.bot, ...fields });
const careful = (work) => (...given) => work(...given).catch((error) => toast(error.message));
const say = careful((text) => act("say", { text }));

const doings = {
  command: say,
  reply: beginReply,
  edit: beginEdit,
  move: beginMove,
  pin: careful((message) => act("pin", { message: message.message_id })),
  remove: careful((message) => act("delete", { message: message.message_id })),
  tap: careful(async (message, button, node) => {
    const done = await act("tap", { message: message.message_id, button });
    if (done.copied !== undefined) {
      await navigator.clipboard.writeText(done.copied);
      toast("Copied");
    } else if (done.url) window.open(done.url, "_blank", "noopener,noreferrer");
    else {
      node.setAttribute("aria-busy", "true");
      here.busy.set(done.query, node);
    }
  }),
};

by("start").addEventListener("click", () => say("/start"));
by("unblock").addEventListener("click", careful(() => act("block", { blocked: false })));
by("block-bot").addEventListener("click", careful(async () => { by("chat-menu").open = false; await act("block", { blocked: true }); }));
by("clear-chat").addEventListener("click", careful(async () => { by("chat-menu").open = false; await act("clear", {}); }));
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});
setUpComposer(act, toast);
setUpPanels(async (id) => { here.person = id; await open(); }, toast);
begin().catch((error) => toast(error.message));
