// The panels beside the chat: who writes, to which bot, what goes wrong, what time it is.

import { ask } from "/api.js";
import { element } from "/entities.js";

const by = (id) => document.getElementById(id);

export function drawPeople(people, current, choose) {
  by("people").replaceChildren(...people.map((person) => choice(person.name, person.language, person.id === current, () => choose(person.id))));
}

export function drawBots(bots, current, choose) {
  by("bots-box").hidden = bots.length < 2;
  by("bots").replaceChildren(...bots.map((bot) => choice(bot.name, "", bot.id === current, () => choose(bot.id))));
}

function choice(label, note, current, act) {
  const row = element("li");
  const made = element("button");
  made.type = "button";
  made.setAttribute("aria-current", String(current));
  const letter = element("span", "avatar small", label[0].toUpperCase());
  letter.setAttribute("aria-hidden", "true");
  made.append(letter, element("span", "", label));
  if (note) made.append(element("small", "", note));
  made.addEventListener("click", act);
  row.append(made);
  return row;
}

export function setUpPanels(onPerson, complain) {
  by("arrive").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const person = await ask("POST", "people", Object.fromEntries(new FormData(event.target)));
      event.target.reset();
      await onPerson(person.id);
    } catch (error) { complain(error.message); }
  });
  by("add-fault").addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    const seconds = Number(given.seconds) || 5;
    const fault = { kind: given.kind, probability: (Number(given.probability) || 100) / 100, retry_after_s: seconds, hold_s: seconds };
    if (given.method.trim()) fault.method = given.method.trim();
    if (given.times) fault.times = Number(given.times);
    try { await ask("POST", "faults", fault); await drawFaults(); } catch (error) { complain(error.message); }
  });
  by("advance").addEventListener("click", async (event) => {
    const { s } = event.target.dataset;
    if (s) drawClock((await ask("POST", "clock", { advance_s: Number(s) })).now);
  });
}

export async function drawFaults() {
  const faults = await ask("GET", "faults");
  const names = Object.fromEntries([...document.querySelectorAll("#add-fault option")].map((option) => [option.value, option.textContent]));
  by("faults").replaceChildren(...faults.map((fault) => {
    const row = element("li");
    const where = fault.method ? ` in ${fault.method}` : "";
    const chance = fault.probability < 1 ? `, ${Math.round(fault.probability * 100)} %` : "";
    const often = fault.times === null ? "" : `, ${fault.times - fault.struck} left`;
    row.append(element("span", "", `${names[fault.kind]}${where}${chance}${often}`));
    const off = element("button", "link", "Off");
    off.type = "button";
    off.setAttribute("aria-label", `Turn off: ${names[fault.kind]}`);
    off.addEventListener("click", async () => { await ask("DELETE", `faults?id=${fault.id}`); await drawFaults(); });
    row.append(off);
    return row;
  }));
}

export function drawClock(now) {
  by("clock").textContent = `At the server it is ${new Date(now * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })}.`;
}

export function drawUnheard(count) {
  by("unheard").textContent = count ? `The bot has not yet acknowledged: ${count}` : "The bot has acknowledged everything.";
}
