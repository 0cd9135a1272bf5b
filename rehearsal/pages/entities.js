// A text with its entities as nodes. Offsets are UTF-16 code units, which is how JavaScript counts too.

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

export function withEntities(text, entities = [], onCommand = () => {}) {
  return build(text, 0, text.length, entities, onCommand);
}

function build(text, start, end, entities, onCommand) {
  const out = document.createDocumentFragment();
  let place = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    const from = Math.max(entity.offset, place);
    if (stop <= from) { rest = others; continue; }
    out.append(text.slice(place, from));
    const inside = others.filter((other) => other.offset < stop);
    const part = text.slice(from, stop);
    out.append(node(entity, part, build(text, from, stop, inside, onCommand), onCommand));
    place = stop;
    rest = others.filter((other) => other.offset + other.length > stop);
  }
  out.append(text.slice(place, end));
  return out;
}

function node(entity, part, content, onCommand) {
  if (entity.type === "spoiler") return spoiler(content);
  if (entity.type === "bot_command") {
    const command = element("button", "command", part);
    command.type = "button";
    command.addEventListener("click", () => onCommand(part));
    return command;
  }
  if (entity.type === "url" || entity.type === "text_link") {
    const link = element("a");
    const address = entity.url ?? part;
    if (/^(https?|tg):/.test(address)) link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.append(content);
    return link;
  }
  const wrapped = element(TAGS[entity.type] ?? "span");
  wrapped.append(content);
  return wrapped;
}

function spoiler(content) {
  // Not a <button>: that is a box, and hidden words break over lines as the words around them do.
  const cover = element("span", "spoiler");
  cover.setAttribute("role", "button");
  cover.tabIndex = 0;
  cover.setAttribute("aria-label", "Hidden text, press to show");
  const held = element("span");
  held.append(content);
  cover.append(held);
  const show = () => {
    const shown = element("span");
    shown.tabIndex = -1;
    shown.append(...held.childNodes);
    cover.replaceWith(shown);
    shown.focus();
  };
  cover.addEventListener("click", show);
  cover.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    show();
  });
  return cover;
}

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(use);
  return drawing;
}
