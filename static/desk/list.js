// The table by keyboard: j and k go through the rows, x chooses, o opens, e edits, a chooses all, / searches, b acts, ? helps.

const form = document.querySelector("#many");
const list = document.querySelector("[data-list]");
const rows = [...document.querySelectorAll("tr[data-row]")];
const box = (row) => row.querySelector('input[name="code"]');
const told = form?.querySelector("[data-told]");
const hint = told?.textContent;
let here = -1;

function go(to) {
  if (!rows.length) return;
  rows[here]?.classList.remove("here");
  here = Math.min(rows.length - 1, Math.max(0, to));
  rows[here].classList.add("here");
  box(rows[here]).focus();
  rows[here].scrollIntoView({ block: "nearest" });
}

function tell() {
  const chosen = rows.filter((row) => box(row).checked).length;
  told.textContent = chosen ? `${chosen} / ${rows.length}` : hint;
}

function turn(row) {
  box(row).checked = !box(row).checked;
  tell();
}

function chooseAll() {
  const all = rows.every((row) => box(row).checked);
  for (const row of rows) box(row).checked = !all;
  tell();
}

const deeds = {
  j: () => go(here + 1),
  ArrowDown: () => go(here + 1),
  k: () => go(here - 1),
  ArrowUp: () => go(here - 1),
  x: () => here >= 0 && turn(rows[here]),
  a: chooseAll,
  o: () => rows[here]?.querySelector("th a").click(),
  Enter: () => rows[here]?.querySelector("th a").click(),
  e: () => rows[here]?.querySelector("[data-edit]")?.click(),
  b: () => form?.querySelector("#act, .chosen button")?.focus(),
  "/": () => document.querySelector("[data-search] input[type=search]").focus(),
  "?": () => {
    const keys = document.querySelector("[data-keys]");
    keys.open = !keys.open;
    keys.querySelector("summary").focus();
    keys.scrollIntoView({ block: "nearest" });
  },
};

// in a field keys are letters; a box to tick is none
const typing = (where) => where.matches?.("select, textarea, input:not([type=checkbox])");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && typing(event.target)) return go(Math.max(0, here));
  if (typing(event.target)) return;
  const onRow = rows.includes(event.target.closest?.("tr[data-row]"));
  if (event.key.startsWith("Arrow") && !onRow) return;
  if (event.key === "Enter" && !event.target.matches?.('input[name="code"]')) return;
  const deed = deeds[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});

list?.addEventListener("focusin", (event) => {
  const at = rows.indexOf(event.target.closest("tr[data-row]"));
  if (at < 0) return;
  rows[here]?.classList.remove("here");
  here = at;
  rows[here].classList.add("here");
});
list?.addEventListener("change", tell);
