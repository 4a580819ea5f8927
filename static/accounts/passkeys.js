// Has the browser's authenticator make or show a passkey, and sends what it answers as the form it stands in.
// Without this the page says that passkeys need it; mailed links and codes work as ever.

const forms = document.querySelectorAll("form[data-passkey]");
const known = window.PublicKeyCredential !== undefined && navigator.credentials !== undefined;

const bytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const text = (buffer) => {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const listed = (credentials) => (credentials ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

/* What the site asks for, with bytes where the browser wants bytes. */
function read({ publicKey }) {
  const asked = { ...publicKey, challenge: bytes(publicKey.challenge) };
  if (publicKey.user) asked.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  if (publicKey.excludeCredentials) asked.excludeCredentials = listed(publicKey.excludeCredentials);
  if (publicKey.allowCredentials) asked.allowCredentials = listed(publicKey.allowCredentials);
  return { publicKey: asked };
}

/* What the authenticator answers, as the site reads it. */
function written({ rawId, type, response }) {
  const said = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) said.attestationObject = text(response.attestationObject);
  if (response.authenticatorData) said.authenticatorData = text(response.authenticatorData);
  if (response.signature) said.signature = text(response.signature);
  if (response.userHandle) said.userHandle = text(response.userHandle);
  return JSON.stringify({ id: text(rawId), rawId: text(rawId), type, response: said });
}

/* A sentence of the page, by name: "asked", "stopped", "there"; none of them without a name. */
function say(form, name) {
  for (const each of form.querySelectorAll("[data-said]")) each.hidden = each.dataset.said !== name;
}

async function begin(form) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("act", "begin");
  const answer = await fetch(form.action, { method: "POST", body: fields });
  const isAsked = answer.ok && answer.headers.get("content-type")?.startsWith("application/json");
  return isAsked ? read(await answer.json()) : null;
}

async function ask(form) {
  const credential = form.elements.namedItem("credential");
  say(form, "asked");
  try {
    const asked = await begin(form);
    credential.value = "";
    if (asked === null) form.elements.namedItem("act").value = "begin"; // asked again, the site says on a page why not
    else credential.value = written(await navigator.credentials[form.dataset.passkey](asked));
    form.submit();
  } catch (fault) {
    say(form, fault.name === "InvalidStateError" ? "there" : "stopped");
    form.querySelector("button").disabled = false;
  }
}

for (const form of forms) {
  const button = form.querySelector("button");
  if (!known) {
    say(form, "unknown");
    continue;
  }
  form.querySelector("[data-able]").hidden = false;
  form.addEventListener("submit", (sent) => {
    sent.preventDefault();
    button.disabled = true;
    ask(form);
  });
}
