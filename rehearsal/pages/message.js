// One message as an article: what it holds, its buttons, what its reader can do with it.

import { mediaUrl } from "/api.js";
import { element, icon, withEntities } from "/entities.js";

const KINDS = [
  "photo", "animation", "document", "video", "video_note", "audio", "voice", "sticker", "poll", "dice", "story", "venue",
  "location", "contact",
];
const EDITABLE = ["text", "photo", "document", "video", "audio", "voice"];

export function messageNode(message, doings) {
  const own = !message.from.is_bot;
  const article = element("article", `message${own ? " own" : ""}`);
  article.dataset.id = message.message_id;
  article.setAttribute("aria-label", `${own ? "You" : message.from.first_name}, ${clock(message.date)}`);
  const bubble = element("div", "bubble");
  if (message.forward_origin) bubble.append(element("span", "quoted", `Passed on from ${from(message.forward_origin)}`));
  if (message.reply_to_message) bubble.append(element("span", "quoted", message.quote?.text ?? summary(message.reply_to_message)));
  bubble.append(...held(message));
  const text = message.text ?? message.caption;
  if (text) {
    const words = element("div", "words");
    words.dir = "auto";
    words.append(withEntities(text, message.entities ?? message.caption_entities, doings.command));
    bubble.append(words);
  }
  bubble.append(meta(message, own, doings));
  article.append(bubble);
  const rows = message.reply_markup?.inline_keyboard;
  if (rows) article.append(keyboard(message, rows, doings));
  return article;
}

export function summary(message) {
  const kind = KINDS.find((name) => name in message);
  const text = message.text ?? message.caption ?? "";
  const named = kind && `${kind[0].toUpperCase()}${kind.slice(1).replace("_", " ")}`;
  return named ? `${named}${text ? `: ${text}` : ""}` : text;
}

function from(origin) {
  return origin.sender_user?.first_name ?? origin.sender_user_name ?? (origin.sender_chat ?? origin.chat).title;
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function meta(message, own, doings) {
  const line = element("div", "meta");
  const actions = element("details", "actions");
  const opener = element("summary");
  opener.setAttribute("aria-label", "What to do with this message");
  opener.append(icon("more"));
  actions.append(opener, action("Reply", () => doings.reply(message)));
  if (own && message.location?.live_period) actions.append(action("Move", () => doings.move(message)));
  if (own && !message.forward_origin && EDITABLE.some((kind) => kind in message)) actions.append(action("Edit", () => doings.edit(message)));
  actions.append(action("Pin", () => doings.pin(message)));
  actions.append(action("Delete", () => doings.remove(message)));
  line.append(actions);
  if (message.has_protected_content) line.append(element("span", "", "protected"));
  if (message.edit_date) line.append(element("span", "", "edited"));
  line.append(element("time", "", clock(message.date)));
  return line;
}

function action(label, act) {
  const made = element("button", "", label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function held(message) {
  if (message.photo) return [photo(message)];
  if (message.voice) return [sound(message.voice, "Voice message")];
  if (message.audio) return [sound(message.audio, message.audio.title ?? "Audio")];
  if (message.video) return [video(message.video)];
  if (message.video_note) return [video(message.video_note, "Video note")];
  if (message.animation) return [video(message.animation, "Animation")];
  if (message.document) return [file(message.document)];
  if (message.venue) return [place(message.venue.location, message.venue.title, message.venue.address)];
  if (message.location) return [place(message.location, message.location.live_period ? "Live location" : "Location")];
  if (message.sticker) return [sticker(message.sticker)];
  if (message.poll) return [poll(message.poll)];
  if (message.contact) return contact(message.contact);
  if (message.dice) return [element("span", "", `${message.dice.emoji} ${message.dice.value}`)];
  if (message.story) return [element("span", "", `A story of ${message.story.chat.first_name ?? message.story.chat.title}`)];
  if (message.pinned_message) return [element("span", "detail", `Pinned: ${summary(message.pinned_message)}`)];
  if (message.message_auto_delete_timer_changed) return [element("span", "detail", "Messages here vanish by themselves now")];
  return [];
}

function photo(message) {
  const box = element("div", "photo");
  const image = element("img");
  const largest = message.photo.at(-1);
  image.src = mediaUrl(largest.file_id);
  image.width = largest.width;
  image.height = largest.height;
  image.alt = message.caption ? "Photo with a caption" : "Photo";
  box.append(image);
  if (message.has_media_spoiler) {
    box.classList.add("covered");
    image.alt = "Hidden photo";
    const cover = element("button");
    cover.type = "button";
    cover.append(element("span", "", "Show photo"));
    cover.addEventListener("click", () => { box.classList.remove("covered"); image.alt = "Photo"; cover.remove(); });
    box.append(cover);
  }
  return box;
}

function sound(held, label) {
  const audio = element("audio");
  audio.controls = true;
  audio.preload = "none";
  audio.src = mediaUrl(held.file_id);
  audio.setAttribute("aria-label", `${label}, ${held.duration} s`);
  return audio;
}

function contact(held) {
  const name = [held.first_name, held.last_name].filter(Boolean).join(" ");
  const shown = element("b", "", name);
  shown.dir = "auto";
  return [shown, element("div", "detail", held.phone_number)];
}

function video(held, label = "Video") {
  const made = element("video");
  made.controls = true;
  made.preload = "none";
  made.src = mediaUrl(held.file_id);
  made.setAttribute("aria-label", label);
  return made;
}

function file(held) {
  const link = element("a", "file");
  const name = held.file_name ?? "file";
  link.href = mediaUrl(held.file_id, name);
  link.download = name;
  const disc = element("span", "disc");
  disc.append(icon("file"));
  const words = element("span");
  words.append(element("b", "", name), element("span", "detail", size(held.file_size)));
  link.append(disc, words);
  return link;
}

function place(held, title, address = "") {
  const box = element("div", "file");
  const disc = element("span", "disc");
  disc.append(icon("place"));
  const words = element("span");
  const point = `${held.latitude.toFixed(5)}, ${held.longitude.toFixed(5)}`;
  words.append(element("b", "", title), element("span", "detail", [address, point].filter(Boolean).join(" · ")));
  box.append(disc, words);
  return box;
}

function sticker(held) {
  const box = element("div", "sticker");
  const image = element("img");
  image.src = mediaUrl(held.file_id);
  image.alt = "Sticker";
  box.append(image);
  return box;
}

function poll(held) {
  const box = element("div", "poll");
  const options = element("ul");
  options.append(...held.options.map((option) => element("li", "", option.text)));
  box.append(element("b", "", held.question), element("div", "detail", "Poll"), options);
  return box;
}

function keyboard(message, rows, doings) {
  const box = element("div", "buttons");
  for (const row of rows) {
    const line = element("div");
    for (const button of row) {
      const made = element("button", button.style ?? "");
      made.type = "button";
      made.append(element("span", "", button.text));
      if (button.copy_text) { made.append(icon("copy")); made.title = "Copies to the clipboard"; }
      if (button.url) { made.append(icon("link")); made.title = button.url; }
      made.addEventListener("click", () => doings.tap(message, button, made));
      line.append(made);
    }
    box.append(line);
  }
  return box;
}

export function size(bytes = 0) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
