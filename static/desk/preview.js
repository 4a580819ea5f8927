// Shows a mail as it is being written: sends the form as its own button "look" does, and takes in what came back.
const WAIT = 700; // milliseconds after the last letter
const form = document.querySelector("form[data-preview]");
let timer = 0;
let asked = 0;

async function look() {
  const mine = (asked += 1);
  const sent = new FormData(form);
  sent.set("act", "preview");
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(sent) }).catch(() => null);
  if (answer === null || !answer.ok || mine !== asked) return; // a fault is shown when the form is sent
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of form.dataset.preview.split(" ")) {
    const there = document.querySelector(`[data-${name}]`);
    const came = page.querySelector(`[data-${name}]`);
    if (there === null || came === null) continue;
    const open = there.querySelector("details")?.open;
    there.replaceWith(came);
    if (open && came.querySelector("details")) came.querySelector("details").open = true;
  }
}

form?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, WAIT);
});
