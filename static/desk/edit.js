// Editing a row where it stands: the form of its page is put under the row, and a save of it is answered there too.

const rowOf = (form) => form.closest("tr.editing");

function show(under, page) {
  const form = new DOMParser().parseFromString(page, "text/html").querySelector("[data-details]");
  if (!form) return false;
  let row = under.nextElementSibling?.matches("tr.editing") ? under.nextElementSibling : null;
  if (!row) {
    row = document.createElement("tr");
    row.className = "editing";
    row.append(document.createElement("td"));
    row.firstChild.colSpan = under.children.length;
    under.after(row);
  }
  const beside = new DOMParser().parseFromString(page, "text/html");
  row.firstChild.replaceChildren(...[".errors", "[data-details]", "#theirs"].flatMap((part) => [...beside.querySelectorAll(part)]));
  row.querySelector(".errors, input:not([type=hidden])").focus();
  return true;
}

function close(row) {
  const above = row.previousElementSibling;
  row.remove();
  above.querySelector("[data-edit]").focus();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-edit], tr.editing [data-leave]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.matches("[data-leave]")) return close(rowOf(link));
  const answer = await fetch(link.href, { headers: { accept: "text/html" } });
  if (!answer.ok || !show(link.closest("tr"), await answer.text())) location.assign(link.href);
});

document.addEventListener("submit", async (event) => {
  const row = event.target.matches("[data-details]") && rowOf(event.target);
  if (!row) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target));
  const answer = await fetch(event.target.action, { method: "POST", body });
  if (answer.redirected) return location.assign(answer.url);
  if (!show(row.previousElementSibling, await answer.text())) event.target.submit();
});

document.addEventListener("keydown", (event) => {
  const row = event.key === "Escape" && event.target.closest?.("tr.editing");
  if (!row) return;
  event.stopImmediatePropagation();
  close(row);
}, true);
