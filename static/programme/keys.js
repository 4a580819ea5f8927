// Moves a session that has the focus by keyboard: arrows and Page keys, Shift for its length, Enter saves, Escape not.

const MINUTES = { ArrowUp: -5, ArrowDown: 5, PageUp: -15, PageDown: 15 };
const DAY = 1440;
let pending = null;

const find = (name) => document.querySelector(name);
const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

function begin(block) {
  const form = block.querySelector("form[data-place]");
  const at = form.elements.starts_at.value.slice(11).split(":").map(Number);
  const first = Number(find("[data-board]").dataset.first);
  const start = at.length > 1 ? at[0] * 60 + at[1] : first;
  pending = { block, form, start, minutes: Number(block.dataset.minutes), room: block.dataset.room, next: block.nextSibling };
  pending.home = block.parentElement;
  block.classList.add("pending");
}

function show() {
  const { block, start, minutes, room } = pending;
  const rows = find("[data-rows]");
  const head = find(`[data-head="${room}"]`);
  const row = Math.floor((start - Number(find("[data-board]").dataset.first)) / 5) + 1;
  if (block.parentElement !== rows) {
    rows.append(block);
    block.focus();
  }
  block.style.gridRow = `${Math.max(1, row)} / span ${Math.max(1, Math.ceil(minutes / 5))}`;
  const column = getComputedStyle(head);
  block.style.gridColumn = `${column.gridColumnStart} / ${column.gridColumnEnd}`;
  find("[data-told]").textContent = `${clock(start)}–${clock((start + minutes) % DAY)}, ${head.textContent.trim()}`;
  block.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function takeBack() {
  const { block, home, next } = pending;
  pending = null;
  block.classList.remove("pending");
  block.style.gridRow = block.style.gridColumn = "";
  if (block.parentElement !== home) {
    home.insertBefore(block, next);
    block.focus();
  }
  find("[data-told]").textContent = "";
}

function save() {
  const { block, form, start, minutes, room } = pending;
  form.elements.starts_at.value = `${find("[data-board]").dataset.day}T${clock(start)}`;
  form.elements.minutes.value = minutes;
  form.elements.room.value = room;
  pending = null;
  form.dispatchEvent(new CustomEvent("place", { bubbles: true, detail: block.id }));
}

function turn(event) {
  const rooms = [...document.querySelectorAll("[data-head]")].map((head) => head.dataset.head);
  if (event.key in MINUTES) {
    const by = MINUTES[event.key];
    if (event.shiftKey) pending.minutes = Math.min(DAY, Math.max(5, pending.minutes + by));
    else pending.start = Math.min(DAY - 5, Math.max(0, pending.start + by));
  } else {
    const at = rooms.indexOf(pending.room) + (event.key === "ArrowRight" ? 1 : -1);
    pending.room = rooms[Math.min(rooms.length - 1, Math.max(0, at))];
  }
}

document.addEventListener("keydown", (event) => {
  const block = event.target.closest?.("[data-block]");
  if (block !== event.target || !find("[data-rows]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const moves = event.key in MINUTES || event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (moves) {
    if (pending?.block !== block) begin(block);
    if (!document.querySelector(`[data-head="${pending.room}"]`)) pending.room = find("[data-head]").dataset.head;
    turn(event);
    show();
  } else if (event.key === "Enter" && pending) save();
  else if (event.key === "Enter") block.querySelector(".name a").click();
  else if (event.key === "Escape" && pending) takeBack();
  else return;
  event.preventDefault();
});
document.addEventListener("focusout", (event) => {
  if (pending?.block === event.target && pending.home === pending.block.parentElement) takeBack();
});
