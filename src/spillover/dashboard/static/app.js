// The page's own script: shows figures in the reader's language, keeps the page true to what the
// gateway tells, and sends what a person changes to /api. Markup comes from the gateway.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const lang = document.documentElement.lang;
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (key, parts = {}) => (words[key] || key).replace(/%\((\w+)\)s/g, (_, name) => parts[name]);

/* ---- figures and times ---- */

const whole = new Intl.NumberFormat(lang);
const compact = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });
const money = (digits) => new Intl.NumberFormat(lang, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", maximumFractionDigits: digits, minimumFractionDigits: 2 });
const cents = money(2), fine = money(4);
const percent = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const units = Object.fromEntries(["second", "minute", "hour", "day", "millisecond"].map((unit) =>
  [unit, new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: 1 })]));

const amount = (value) => Math.abs(value) < 10000 ? whole.format(Math.abs(value) < 100 ? Math.round(value * 10) / 10 : Math.round(value)) : compact.format(value);
const dollars = (value) => (value && Math.abs(value) < 0.1 ? fine : cents).format(value);
const millis = (value) => value < 1000 ? units.millisecond.format(Math.round(value)) : units.second.format(value / 1000);

// Two units at most, rounded up: what is back in "0 s" is back now.
function span(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  if (left < 60) return units.second.format(left);
  const [large, small, size, part] = left < 3600 ? ["minute", "second", 60, 1] : left < 86400 ? ["hour", "minute", 3600, 60] : ["day", "hour", 86400, 3600];
  const all = Math.ceil(left / part) * part, rest = (all % size) / part;
  return units[large].format(Math.floor(all / size)) + (rest ? " " + units[small].format(rest) : "");
}

// The machine's clock and the gateway's may differ when the page is looked at from elsewhere.
let ahead = 0;
const now = () => Date.now() + ahead;
const until = (element) => span((Date.parse(element.dataset.until) - now()) / 1000);
const at = (iso) => { const when = new Date(iso); return (now() - when < 43200000 ? clock : day).format(when); };

const formats = {
  n: (value) => amount(+value), usd: (value) => dollars(+value), ms: (value) => millis(+value),
  pct: (value) => percent.format(+value), diff: (value) => (value > 0 ? "+" : "") + amount(+value), at,
};

function figures(root) {
  for (const [name, format] of Object.entries(formats))
    for (const element of $$(`[data-${name}]`, root)) element.textContent = format(element.dataset[name]);
  for (const element of $$("[data-until]", root)) element.textContent = until(element);
}

setInterval(() => {
  for (const element of $$("[data-until]")) {
    const text = until(element);
    if (element.textContent !== text) element.textContent = text;
  }
}, 200);

/* ---- keeping the page true ---- */

// Makes `old` like `fresh` where they differ, so that focus, selection and transitions survive.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) { if (old.data !== fresh.data) old.data = fresh.data; return; }
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "aria-expanded") old.removeAttribute(name);
  const [kept, wanted] = [[...old.childNodes], [...fresh.childNodes]];
  wanted.forEach((child, place) => { if (kept[place]) morph(kept[place], child); else old.append(child); });
  kept.slice(wanted.length).forEach((child) => child.remove());
}

let waiting = new Map();

// Parts that come while a frame is being drawn replace each other: only the last of each is shown.
function receive(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  if (!waiting.size) requestAnimationFrame(show);
  for (const part of holder.content.children) waiting.set(part.id, part);
}

function show() {
  const parts = waiting;
  waiting = new Map();
  for (const [id, part] of parts) {
    const old = document.getElementById(id);
    if (!old) continue;
    const changed = old.dataset.profile && old.className.split(" ")[1] !== part.className.split(" ")[1];
    figures(part);
    morph(old, part);
    htmx.process(old);
    if (changed) { old.classList.add("changed"); setTimeout(() => old.classList.remove("changed"), 1200); }
  }
  document.dispatchEvent(new CustomEvent("shown"));
}

let stream = null;
const light = $("#live");

function lit(on) {
  light.classList.toggle("on", on);
  light.classList.toggle("off", !on);
  const text = light.dataset[on ? "on" : "off"];
  if (light.lastElementChild.textContent !== text) light.lastElementChild.textContent = text;
}

function listen() {
  stream = new EventSource(`/live?view=${document.body.dataset.live}&seen=${$("#main").dataset.seen || ""}`);
  stream.onopen = () => lit(true);
  stream.onerror = () => {
    lit(false);
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    stream = null;
    setTimeout(() => stream || listen(), 2000);
    fetch("/api/chains").then((answer) => answer.status === 401 && location.reload(), () => {});
  };
  stream.addEventListener("clock", (event) => {
    const off = Date.parse(event.data) - Date.now(); // less than a second is the way here
    ahead = Math.abs(off) < 1000 ? 0 : off;
  });
  stream.addEventListener("parts", (event) => receive(event.data));
  stream.addEventListener("happened", (event) => document.dispatchEvent(new CustomEvent("happened", { detail: JSON.parse(event.data) })));
  stream.addEventListener("reload", renew);
}

// Chains or places are others now: the content is loaded anew, and what had the focus has it again.
async function renew() {
  await htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerHTML" });
  figures($("#main"));
  document.getElementById(wanted)?.focus({ preventScroll: true });
  wanted = null;
}
let wanted = null;

// For what is asked for anew when something happens: at once, then once in a while, however much it is.
const WHILE = 1000;
let lately = 0, due = 0;
document.addEventListener("happened", () => {
  due ||= setTimeout(() => { due = 0; lately = Date.now(); document.dispatchEvent(new CustomEvent("lately")); }, Math.max(0, lately + WHILE - Date.now()));
});

// A page that nobody sees costs the gateway nothing.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stream?.close(); stream = null; } else if (!stream && light) listen();
});

/* ---- notices ---- */

function toast(text, kind = "", lasts = 7000, undoing = null) {
  const element = document.createElement("div");
  element.className = "toast " + kind;
  element.textContent = text;
  if (undoing) {
    $$("#toasts button").forEach((each) => each.remove()); // the latest change alone can be taken back
    const button = document.createElement("button");
    button.className = "link";
    button.textContent = say("Undo");
    button.onclick = () => { element.remove(); undoing(); };
    element.append(" ", button);
  }
  $("#toasts").append(element);
  while ($("#toasts").children.length > 4) $("#toasts").firstChild.remove();
  setTimeout(() => element.remove(), lasts);
}

const NOTICES = 50;
const gravity = { test: "", recovered: "good", budget: "bad", failed: "bad", config_rejected: "bad", ledger: "bad", unserved: "bad" };
let unread = 0;

function notice(told) {
  const list = $("#notices ol"), item = document.createElement("li");
  item.innerHTML = "<span></span><time></time>";
  item.firstChild.textContent = told.text;
  item.lastChild.textContent = at(told.at);
  list.prepend(item);
  while (list.children.length > NOTICES) list.lastChild.remove();
  toast(told.text, gravity[told.kind] ?? "warn");
  if ($("#notices").hidden) ring(unread + 1);
}

document.addEventListener("happened", (event) => {
  for (const each of event.detail) {
    if (each.type === "notice") notice(each);
    if (each.type === "config.rejected") toast(say("The file can't be used:") + "\n" + each.problems.join("\n"), "bad", 15000);
  }
});

function bell(open) {
  $("#notices").hidden = !open;
  $("#bell").setAttribute("aria-expanded", open);
  if (open) ring(0);
}

function ring(count) {
  unread = count;
  const shown = count > 99 ? "99+" : `${count || ""}`;
  $("#unread").textContent = shown;
  $("#unread").hidden = !count;
  $("#bell").setAttribute("aria-label", `${$("#bell").dataset.label} ${shown}`.trim());
}

/* ---- changing things: forms and buttons speak JSON to /api ---- */

// `limits[0].amount` in a field's name is a place in the document; `data-kind` says what a text means.
function place(document, name, value) {
  const steps = name.split(/[.[\]]+/).filter(Boolean);
  steps.slice(0, -1).forEach((step, index) => {
    document[step] ??= /^\d+$/.test(steps[index + 1]) ? [] : {};
    document = document[step];
  });
  document[steps.at(-1)] = value;
}

const meanings = {
  number: (text) => text === "" ? null : +text,
  json: (text) => text === "" ? null : JSON.parse(text),
  flag: (text) => text === "true",
  optional: (text) => text === "" ? undefined : text,
  text: (text) => text === "" ? null : text,
};

// A field whose name begins with `_` is not sent itself: it says how the others are.
function documentOf(form) {
  const found = {}, won = new Set();
  for (const field of form.elements) if (field.dataset.wins && field.value) won.add(field.dataset.wins);
  for (const field of form.elements) {
    const { kind } = field.dataset;
    if (!field.name || field.name.startsWith("_") || field.disabled || won.has(field.name)) continue;
    if (/radio|checkbox/.test(field.type) && !field.checked && kind !== "check") continue;
    const value = kind === "check" ? field.checked : (meanings[kind] || meanings.text)(field.value.trim());
    if (value !== undefined) place(found, field.name, value);
    if (field.dataset.with && form.elements._propose?.checked) Object.assign(found, JSON.parse(field.dataset.with));
  }
  if ("limits" in form.dataset) found.limits = form.elements._free.checked ? "free" : limitsOf(found.limits);
  if ("chainForm" in form.dataset) chainOf(found, form.elements);
  if ("members" in form.dataset) found.profiles = chosen.get(form) || [];
  if ("aliases" in form.dataset) found.aliases = aliasesOf($$(".alias", form));
  if ("places" in form.dataset) found.notify = $$(".place", form).map((row) => placeOf(row, JSON.parse(form.dataset.places)));
  return found;
}

function aliasesOf(rows) {
  const found = new Map(rows.map((row) => [$("[name=_alias]", row).value.trim(), $("[name=_target]", row).value]));
  if (found.size < rows.length) throw new Error(say("A name stands there twice."));
  return Object.fromEntries(found);
}

// Who is told of what is usual is written by its address alone.
function placeOf(row, usual) {
  const to = $("[name=_to]", row).value.trim(), events = $$("[name=_event]:checked", row).map((each) => each.value);
  if (!events.length) throw new Error(say("Each place wants at least one kind of notice."));
  return events.slice().sort().join() === usual.join() ? to : { to, events };
}

// Members of a new chain, in the order in which they were chosen.
const chosen = new WeakMap();
document.addEventListener("change", ({ target }) => {
  if (target.name !== "_member") return;
  const others = (chosen.get(target.form) || []).filter((each) => each !== target.value);
  chosen.set(target.form, target.checked ? [...others, target.value] : others);
});

// As the file writes them: {requests: 20, per: day, window: calendar, timezone: …}.
const limitsOf = (rows) => (rows || []).filter(Boolean).map(({ metric, amount, per, window, rest }) =>
  ({ [metric]: amount, ...(metric === "concurrency" ? {} : { per }), ...(window ? { window } : {}), ...rest }));

function chainOf(found, { _after, _wait }) {
  if (found.failback === "after") found.failback = { after: _after.value.trim() || "5m" };
  found.when_exhausted = _wait.value.trim() ? { wait: _wait.value.trim() } : null;
  found.spend_gate = Object.values(found.spend_gate).some(Boolean) ? Object.fromEntries(Object.entries(found.spend_gate).filter(([, value]) => value)) : null;
  if (!found.privacy) found.privacy = null;
}

// What the gateway says is English; it says it again in the language of the page.
async function retold(texts) {
  if (lang === "en" || !texts.length) return texts;
  const answer = await fetch("/parts/said", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ texts }) }).catch(() => null);
  return answer?.ok ? (await answer.json()).texts : texts;
}
const problem = async (told, status) => (await retold([told.error?.message || `${status}`]))[0];

async function api(method, path, body, headers = {}) {
  const answer = await fetch(path, { method, headers: { "content-type": "application/json", accept: "application/json", ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(await problem(told, answer.status));
  return told;
}

// What was seen when the change was made: where it is something else by now, the gateway refuses.
const seen = (revision) => revision ? { "if-match": revision } : {};

// Takes back this change alone: once the file says something else, the gateway refuses.
async function undo({ revision }) {
  try {
    const { restored } = await api("POST", "/api/config/undo", {}, seen(revision));
    toast(say("Undone: back to version %(version)s.", { version: restored.id }), "good");
    if (document.body.dataset.live !== "overview") renew();
  } catch (error) { toast(error.message, "bad", 12000); }
}

function ask(question) {
  const dialog = $("#sure");
  $("#sure-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

// <button data-post="/api/…" data-body='{…}' data-sure="…" data-done="…">, and the same of forms.
async function act(element, bodyOf) {
  const { sure, done, then } = element.dataset;
  const method = ["post", "put", "delete"].find((each) => each in element.dataset);
  if (sure && !(await ask(sure))) return;
  const shown = $(".problem", element);
  const buttons = element.matches("button") ? [element] : $$("button", element);
  buttons.forEach((each) => { each.disabled = true; });
  try {
    const told = await api(method.toUpperCase(), element.dataset[method], bodyOf(), seen(element.dataset.revision));
    if (shown) shown.textContent = "";
    if (told.change) toast(done || say("Changed."), "good", 10000, () => undo(told.change));
    else if (told.probe) await probed(told);
    else if (done) toast(done, "good", 4000);
    for (const note of await retold(told.change?.notes || [])) toast(note, "warn");
    if (then === "close") $("#drawer").close();
    if (then === "reload") location.reload();
    if (then === "again") again();
    if (then === "renew") renew();
    if (then === "tried") for (const ms of [500, 2000, 6000, 12000]) setTimeout(() => htmx.trigger("#sending", "tried"), ms);
  } catch (error) {
    if (shown) shown.textContent = error.message; else toast(error.message, "bad", 12000);
  } finally {
    buttons.forEach((each) => { each.disabled = false; });
  }
}

async function probed({ name, probe }) {
  const [why] = await retold([probe.message || ""]);
  toast(`${name}: ${probe.answered ? say("answered") : why || words.reasons[probe.outcome] || probe.outcome}`, probe.answered ? "good" : "bad");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) pressed(button);
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (light && !event.target.closest("#notices, #bell")) bell(false);
  if (event.target === $("#drawer")) $("#drawer").close();
});

function pressed(button) {
  const { dataset } = button;
  if (["post", "put", "delete"].some((each) => each in dataset)) act(button, () => dataset.body ? JSON.parse(dataset.body) : "delete" in dataset ? undefined : {});
  else if (button.id === "bell") setTimeout(() => bell($("#notices").hidden));
  else if ("close" in dataset) $("#drawer").close();
  else if (dataset.move) move(button.closest(".card"), +dataset.move);
  else if (dataset.why) why(button);
  else if (dataset.copy) navigator.clipboard?.writeText($(dataset.copy).textContent).then(() => toast(say("Copied."), "good", 2500));
  else if (dataset.row) row(button);
  else if (dataset.models) models(button);
}

// What a provider lists for the key that the form holds.
async function models(button) {
  const { key = {} } = documentOf(button.form);
  button.disabled = true;
  try {
    await htmx.ajax("POST", "/parts/models/" + encodeURIComponent(button.dataset.models), { target: "#models", swap: "innerHTML", values: { key: JSON.stringify(key) } });
  } finally { button.disabled = false; }
}

document.addEventListener("input", (event) => {
  const list = event.target.dataset.filter && $(event.target.dataset.filter);
  if (!list) return;
  const sought = event.target.value.trim().toLowerCase();
  for (const each of list.children) each.hidden = !each.textContent.toLowerCase().includes(sought);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!["post", "put", "delete"].some((each) => each in form.dataset)) return;
  event.preventDefault();
  act(form, () => documentOf(form));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { if (light) bell(false); for (const menu of $$("details.menu[open]")) { menu.open = false; $("summary", menu).focus(); } }
  const card = event.target.closest?.(".card");
  if (card && event.altKey && /^Arrow(Up|Down)$/.test(event.key)) { event.preventDefault(); move(card, event.key === "ArrowUp" ? -1 : 1); }
});

document.addEventListener("change", (event) => {
  const { name, value } = event.target;
  if (event.target.id === "client") htmx.ajax("GET", "/parts/client/" + value, "#texts");
  if (name !== "theme" && name !== "lang") return;
  document.cookie = `spillover_${name}=${value}; path=/; max-age=31536000; samesite=strict`;
  if (name === "theme") { document.documentElement.dataset.theme = value; document.dispatchEvent(new CustomEvent("theme")); } else location.reload();
});

// A drawer opens when something was loaded into it, unless that was to show an open one anew: it may be closed by then.
document.addEventListener("htmx:afterSwap", (event) => {
  figures(event.target);
  if (event.target.id === "drawer-body" && !$("#drawer").open && !renewing) $("#drawer").showModal();
});
document.addEventListener("htmx:responseError", async ({ detail: { xhr } }) => {
  let told = {};
  try { told = JSON.parse(xhr.responseText); } catch { /* no answer of ours */ }
  toast(await problem(told, xhr.status), "bad");
});
document.addEventListener("htmx:beforeRequest", (event) => { if (event.target.dataset?.again === undefined && event.detail.target?.id === "drawer-body") opened = event.detail.pathInfo.requestPath; });
let opened = null;
let renewing = false;
async function again() {
  if (!opened || !$("#drawer").open) return;
  renewing = true;
  await htmx.ajax("GET", opened, "#drawer-body");
  renewing = false;
}

function row(button) {
  const list = button.closest("[data-rows]");
  if (button.dataset.row === "add") {
    const fresh = $("template", list).content.firstElementChild.cloneNode(true);
    const number = +(list.dataset.rows++);
    for (const field of $$("[name]", fresh)) field.name = field.name.replace("[]", `[${number}]`);
    $("template", list).before(fresh);
    $("input, select", fresh).focus();
    return;
  }
  const edited = button.closest(".edit"), before = edited.previousElementSibling;
  if (button.dataset.row === "drop") { edited.remove(); $("[data-row=add]", list).focus(); }
  else if (before) { before.before(edited); button.focus(); }
}

async function why(button) {
  const open = button.getAttribute("aria-expanded") !== "true", target = document.getElementById("why-" + button.dataset.why);
  button.setAttribute("aria-expanded", open);
  if (open) await htmx.ajax("GET", "/parts/why/" + encodeURIComponent(button.dataset.why), { target, swap: "innerHTML" }); else target.replaceChildren();
}

/* ---- order: by arrows, by Alt and arrow keys, by dragging ---- */

const order = (ladder) => $$(".card", ladder).map((card) => card.dataset.profile);

async function reorder(ladder, names, moved) {
  const chain = ladder.dataset.chain;
  try {
    wanted = `card-${chain}-${moved}`;
    const { revision } = document.getElementById("head-" + chain).dataset;
    const { change } = await api("PUT", "/api/chains/" + encodeURIComponent(chain), { profiles: names }, seen(revision));
    if (change) toast(say("%(profile)s is now number %(place)s.", { profile: moved, place: names.indexOf(moved) + 1 }), "good", 10000, () => undo(change));
  } catch (error) { toast(error.message, "bad", 12000); }
}

function move(card, by) {
  const ladder = card.closest(".ladder"), names = order(ladder), from = names.indexOf(card.dataset.profile), to = from + by;
  if (to < 0 || to >= names.length) return;
  names.splice(to, 0, ...names.splice(from, 1));
  reorder(ladder, names, card.dataset.profile);
}

let lifted = null;
const unmark = () => $$(".over, .under").forEach((each) => each.classList.remove("over", "under"));
document.addEventListener("dragstart", (event) => {
  if (!event.target.closest?.(".grip")) return;
  lifted = event.target.closest(".card");
  lifted.classList.add("lifted");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", lifted.dataset.profile);
  event.dataTransfer.setDragImage(lifted, 20, 20);
});
document.addEventListener("dragover", (event) => {
  const card = event.target.closest?.(".card");
  if (!lifted || !card || card.parentNode !== lifted.parentNode) return;
  event.preventDefault();
  unmark();
  const box = card.getBoundingClientRect();
  if (card !== lifted) card.classList.add(event.clientY < box.top + box.height / 2 ? "over" : "under");
});
document.addEventListener("drop", (event) => {
  const marked = $(".over, .under");
  if (!lifted || !marked) return;
  event.preventDefault();
  const ladder = lifted.parentNode, name = lifted.dataset.profile, names = order(ladder).filter((each) => each !== name);
  names.splice(names.indexOf(marked.dataset.profile) + marked.classList.contains("under"), 0, name);
  reorder(ladder, names, name);
});
document.addEventListener("dragend", () => { unmark(); lifted?.classList.remove("lifted"); lifted = null; });

/* ---- begin ---- */

figures(document);
if (light) {
  listen();
}
