// Shows what is found while one types. Without this the form's button does the same.

const form = document.querySelector("form[data-search]");
const results = document.querySelector("[data-results]");
const told = document.querySelector("[data-told]");
const PAUSE = 160; // milliseconds without a letter before the site is asked
let waiting = 0;
let asked = null;

function address() {
  const wanted = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(wanted).toString();
  return query === "" ? form.action : `${form.action}?${query}`;
}

async function find() {
  asked?.abort();
  asked = new AbortController();
  const wanted = address();
  try {
    const answer = await fetch(wanted, { signal: asked.signal });
    if (!answer.ok) return; // the button still shows why
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("[data-results]");
    if (found === null) return;
    results.replaceChildren(...found.childNodes);
    told.textContent = results.querySelector(".found")?.textContent ?? "";
    history.replaceState(null, "", wanted);
  } catch (fault) {
    if (fault.name !== "AbortError") return; // no connection: the button says so
  }
}

if (form !== null && results !== null) {
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, PAUSE);
  });
}
