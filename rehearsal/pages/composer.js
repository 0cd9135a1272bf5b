// The field to write in: text, what is attached, a recording, what is being edited or answered.

import { upload } from "/api.js";
import { element } from "/entities.js";
import { size, summary } from "/message.js";

const by = (id) => document.getElementById(id);
const text = by("text");
let attached = [];
let context = null;
let moving = null;
let recorder = null;

export function setUpComposer(act, complain) {
  const guard = (work) => async (event) => {
    event?.preventDefault();
    try { await work(event); } catch (error) { complain(error.message); }
  };
  const send = guard(async () => {
    // Emptied before the server answers: a second press sends nothing twice. What could not be sent comes back.
    const sent = { words: text.value.trim(), files: attached, context, spoiler: by("spoiler").checked };
    if (!sent.words && !sent.files.length && sent.context?.kind !== "edit") return;
    text.value = "";
    attached = [];
    by("spoiler").checked = false;
    endContext();
    try { await dispatch(act, sent); } catch (error) {
      if (!text.value) text.value = sent.words;
      if (!attached.length) attached = sent.files;
      draw();
      throw error;
    }
  });
  by("composer").addEventListener("submit", send);
  text.addEventListener("input", draw);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
    if (event.key === "Escape") endContext();
  });
  text.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (files.length) { event.preventDefault(); attach("photo", files); }
  });
  for (const kind of ["photo", "file"]) {
    by(`pick-${kind}`).addEventListener("change", (event) => { attach(kind, [...event.target.files]); event.target.value = ""; });
  }
  by("pick-voice").addEventListener("change", guard(async (event) => {
    const [file] = event.target.files;
    if (file) await act("voice", { upload: await upload(file), mime: file.type || "audio/ogg", ...manner() });
    event.target.value = "";
  }));
  by("pick-round").addEventListener("change", guard(async (event) => {
    const [file] = event.target.files;
    if (file) await act("files", { files: [["", await upload(file)]], kind: "video_note", ...manner() });
    event.target.value = "";
  }));
  by("attach-menu").addEventListener("click", guard(async (event) => {
    const { pick, act: kind, open } = event.target.dataset;
    if (!pick && !kind && !open) return event.target.closest("summary") && toggle(by("attach-menu"));
    by("attach-menu").open = false;
    if (pick) by(`pick-${pick}`).click();
    if (open) by(open).showModal();
    if (kind === "sticker" || kind === "dice") await act(kind, {});
    if (kind === "poll") await act("poll", { question: "Tea or coffee?", options: ["Tea", "Coffee"] });
    if (kind === "big_file") await act("big_file", { name: "archive.zip" });
  }));
  setUpDialogs(act, guard);
  by("record").addEventListener("click", guard(() => record(act, complain)));
  by("context-end").addEventListener("click", endContext);
}

function setUpDialogs(act, guard) {
  const sent = {
    place: ({ title, live, ...point }) => {
      if (moving) return act("move", { message: moving, ...point });
      return title ? act("venue", { title, ...point, ...manner() }) : act("location", { ...point, live_period: live ? 900 : null, ...manner() });
    },
    contact: (given) => act("contact", { ...given, ...manner() }),
    linked: ({ words, url }) => act("say", { text: words, links: [[words, url]], ...manner() }),
    passed: (from) => begin("forward", from, `Passed on from: ${from.name}`, text.value),
  };
  for (const [name, send] of Object.entries(sent)) {
    const dialog = by(name);
    const form = by(`${name}-form`);
    form.addEventListener("submit", guard(async () => {
      const given = Object.fromEntries(new FormData(form));
      dialog.close();
      await send(given);
      if (name !== "passed") endContext();
      if (name !== "place") form.reset();
    }));
    form.querySelector("[value=cancel]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => { setTimeout(() => { moving = null; }); });
  }
}

/** Where a live location has moved to: the dialog asks for the point. */
export function beginMove(message) {
  moving = message.message_id;
  by("place").showModal();
}

/** How what is sent now is sent: as an answer, as passed on from somebody, or neither. */
function manner(about = context) {
  if (about?.kind === "reply") return { reply_to: about.message.message_id };
  if (about?.kind === "forward") return { forward: about.message };
  return {};
}

function toggle(menu) { menu.open = !menu.open; }

export function beginEdit(message) { begin("edit", message, `Editing: ${summary(message)}`, message.text ?? message.caption ?? ""); }
export function beginReply(message) { begin("reply", message, `Reply to: ${summary(message)}`, text.value); }

function begin(kind, message, label, words) {
  context = { kind, message };
  by("context").hidden = false;
  by("context-text").textContent = label;
  text.value = words;
  text.focus();
  draw();
}

function endContext() {
  if (context?.kind === "edit") text.value = "";
  context = null;
  by("context").hidden = true;
  draw();
}

function attach(kind, files) {
  if (attached.length && attached[0].kind !== kind) attached = [];
  attached = [...attached, ...files.map((file) => ({ kind, file }))].slice(0, 10);
  draw();
  text.focus();
}

async function dispatch(act, { words, files, context: about, spoiler }) {
  if (about?.kind === "edit") { await act("edit", { message: about.message.message_id, text: words }); return; }
  if (!files.length) { await act("say", { text: words, ...manner(about) }); return; }
  const keys = await Promise.all(files.map(({ file }) => upload(file)));
  const given = { caption: words, ...manner(about) };
  const moving = files.some(({ file }) => file.type.startsWith("video/"));
  if (files[0].kind !== "photo") await act("files", { files: files.map(({ file }, place) => [file.name, keys[place]]), ...given });
  else if (!moving) await act("photos", { uploads: keys, spoiler, ...given });
  else await act("album", { items: files.map(({ file }, place) => [file.type.startsWith("video/") ? "video" : "photo", file.name, keys[place]]), ...given });
}

function draw() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  by("send").hidden = !(text.value.trim() || attached.length);
  by("record").hidden = !by("send").hidden;
  by("tray").hidden = !attached.length;
  by("spoiler-box").hidden = attached[0]?.kind !== "photo";
  text.placeholder = attached.length ? "Caption" : "Message";
  by("tray").replaceChildren(...attached.map(({ kind, file }, place) => {
    const row = element("li");
    if (kind === "photo") {
      const image = element("img");
      image.src = URL.createObjectURL(file);
      image.alt = "";
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      row.append(image);
    }
    row.append(element("span", "", kind === "photo" ? file.name : `${file.name}, ${size(file.size)}`));
    const away = element("button", "link", "Remove");
    away.type = "button";
    away.setAttribute("aria-label", `Remove ${file.name}`);
    away.addEventListener("click", () => { attached.splice(place, 1); draw(); });
    row.append(away);
    return row;
  }));
}

async function record(act, complain) {
  if (recorder) { recorder.stop(); return; }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const wanted = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus"].find((type) => MediaRecorder.isTypeSupported(type));
  const pieces = [];
  const begun = Date.now();
  recorder = new MediaRecorder(stream, { mimeType: wanted });
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", async () => {
    const mime = recorder.mimeType.split(";")[0];
    recorder = null;
    stream.getTracks().forEach((track) => track.stop());
    by("record").classList.remove("on");
    by("record").setAttribute("aria-label", "Record a voice message");
    try {
      const seconds = Math.max(1, Math.round((Date.now() - begun) / 1000));
      await act("voice", { upload: await upload(new Blob(pieces, { type: mime })), mime, seconds });
    } catch (error) { complain(error.message); }
  });
  recorder.start();
  by("record").classList.add("on");
  by("record").setAttribute("aria-label", "Stop and send the recording");
}
