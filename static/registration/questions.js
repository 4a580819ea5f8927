// Hides a question while what it depends on is answered otherwise. Without this every question is in sight, with its
// condition in words; the server looks again in any case.

function answers(form, name) {
  return new FormData(form).getAll(name).filter((value) => typeof value === "string" && value !== "");
}

function look(form) {
  // in the order of the page: a question depends on earlier ones alone
  for (const question of form.querySelectorAll("[data-shown-if]")) {
    const name = question.dataset.shownIf;
    const decides = form.querySelector(`[name="${CSS.escape(name)}"]`);
    const asked = decides !== null && decides.closest("[data-shown-if][hidden]") === null;
    const wanted = question.dataset.shownFor.split(" ");
    question.hidden = !(asked && answers(form, name).some((value) => wanted.includes(value)));
  }
}

for (const questions of document.querySelectorAll("[data-questions]")) {
  const form = questions.closest("form");
  form.addEventListener("change", () => look(form));
  look(form);
}
