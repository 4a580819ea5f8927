// Says every while that this session's form is still open, and shows who else has it open.

const EVERY = 45_000; // milliseconds; the site forgets a form after two minutes
const form = document.querySelector("form[data-mark]");

async function ping() {
  if (document.hidden) return;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-marks]");
    const shown = document.querySelector("[data-marks]");
    if (fresh !== null && shown?.textContent.trim() !== fresh.textContent.trim()) shown?.replaceWith(fresh);
  } catch {
    // no connection: saving will say so
  }
}

if (form !== null) setInterval(ping, EVERY);
