// Drags sessions in the timetable and sends their own forms; without this the forms do the same by hand.
const STEP = 5;
const NEAR = 6; // pixels before a press is a drag
let held = null;

const find = (name) => document.querySelector(name);
const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/* Where a point is in the timetable: the local minute, and the head of the room; null outside. */
function place(x, y) {
  const rows = find("[data-rows]");
  if (rows === null || getComputedStyle(rows).gridAutoRows === "auto") return null;
  const frame = rows.parentElement.getBoundingClientRect();
  const head = [...document.querySelectorAll("[data-head]")].find((each) => {
    const box = each.getBoundingClientRect();
    return x >= box.left && x < box.right;
  });
  if (!head || y < frame.top || y > frame.bottom || x > frame.right) return null;
  let top = rows.getBoundingClientRect().top;
  let row = 0;
  for (const height of getComputedStyle(rows).gridTemplateRows.split(" ")) {
    top += parseFloat(height);
    if (top > y) break;
    row += 1;
  }
  return { minute: Number(find("[data-board]").dataset.first) + row * STEP, head };
}

function show(start, minutes, head) {
  const first = Number(find("[data-board]").dataset.first);
  const column = getComputedStyle(head);
  held.drop.style.gridRow = `${(start - first) / STEP + 1} / span ${Math.max(1, Math.ceil(minutes / STEP))}`;
  held.drop.style.gridColumn = `${column.gridColumnStart} / ${column.gridColumnEnd}`;
  held.drop.textContent = `${clock(start)}–${clock((start + minutes) % 1440)}`;
  find("[data-rows]").append(held.drop);
}

function drag(event) {
  if (held === null) return;
  if (!held.moves && Math.hypot(event.clientX - held.x, event.clientY - held.y) < NEAR) return;
  held.moves = true;
  held.block.classList.add("dragged");
  const { block, form } = held;
  const there = place(event.clientX, held.edge ? event.clientY : event.clientY - held.above);
  const beside = find("[data-waiting]");
  held.to = null;
  held.drop.remove();
  const box = find(".frame").getBoundingClientRect(); // near its edges the timetable goes on
  const on = (at, low, high) => (at > high - 40 && at < high ? 16 : at > low && at < low + 40 ? -16 : 0);
  find(".frame").scrollBy(on(event.clientX, box.left, box.right), on(event.clientY, box.top + 50, box.bottom));
  const waits = beside.contains(document.elementFromPoint(event.clientX, event.clientY));
  beside.classList.toggle("target", waits && !held.edge);
  if (held.edge && there) {
    const begins = form.elements.starts_at.value.slice(11).split(":").map(Number);
    const start = begins[0] * 60 + begins[1];
    held.to = { start, minutes: Math.max(STEP, there.minute + STEP - start), room: block.dataset.room };
    const head = find(`[data-head="${block.dataset.room}"]`);
    show(start, held.to.minutes, head);
  } else if (waits) held.to = { waits: true };
  else if (there) {
    held.to = { start: there.minute, minutes: Number(block.dataset.minutes), room: there.head.dataset.head };
    show(held.to.start, held.to.minutes, there.head);
  }
}

function drop() {
  if (held === null) return;
  const { block, form, to } = held;
  held.drop.remove();
  find("[data-waiting]").classList.remove("target");
  block.classList.remove("dragged");
  held.ended = held.moves;
  held = null;
  if (!to) return;
  form.elements.starts_at.value = to.waits ? "" : `${find("[data-board]").dataset.day}T${clock(to.start)}`;
  if (!to.waits) [form.elements.minutes.value, form.elements.room.value] = [to.minutes, to.room];
  send(form, block.id);
}

/* Sends a form and shows the timetable it leads to; what is refused is sent by the browser, whose page says why. */
async function send(form, id) {
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.ok || !answer.redirected) return form.submit();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-board]");
  if (fresh?.dataset.day !== find("[data-board]").dataset.day) return location.assign(answer.url);
  const { scrollLeft, scrollTop } = find(".frame") ?? {};
  for (const part of document.querySelectorAll("[data-part]"))
    part.replaceChildren(...page.querySelector(`[data-part="${part.dataset.part}"]`).childNodes);
  find("[data-board]").dataset.first = fresh.dataset.first;
  find(".frame")?.scrollTo(scrollLeft, scrollTop);
  document.getElementById(id)?.focus({ preventScroll: true });
}

document.addEventListener("pointerdown", (event) => {
  const block = event.target.closest("[data-block]");
  if (!block || !find("[data-rows]") || event.button !== 0 || event.pointerType === "touch" || event.target.closest(".move")) return;
  const mark = document.createElement("div");
  mark.className = "drop";
  const above = event.clientY - block.getBoundingClientRect().top;
  const form = block.querySelector("form[data-place]");
  held = { block, form, drop: mark, above, x: event.clientX, y: event.clientY, edge: "edge" in event.target.dataset };
});
document.addEventListener("pointermove", drag);
document.addEventListener("pointerup", (event) => {
  if (held?.moves) addEventListener("click", (click) => click.preventDefault(), { once: true, capture: true });
  drop(event);
});
document.addEventListener("dragstart", (event) => event.target.closest?.("[data-block]") && event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && held !== null) [held.to, held.moves] = [null, true], drop();
});
document.addEventListener("place", (event) => send(event.target, event.detail));
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-place]")) {
    event.preventDefault();
    send(event.target, event.target.closest("[data-block]").id);
  }
});
