// Keeps the page up to date: fetches what there is to see every two seconds, and changes what has changed.
//
// Always holds: what has the focus, is unfolded or scrolled stays so; nothing is asked of anybody but this server; the token is
// kept for this tab only.

"use strict";

const EVERY = 2000;
const TOKEN = "understudy-token";
const element = (id) => document.getElementById(id);

// What the other script uses too.
const understudy = { roles: [], ask, element };

// Sends a request with the token, if one was entered.
function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return fetch(path, { cache: "no-store", redirect: "error", ...options, headers });
}

// Makes one tree like another in as few steps as it takes. Elements that stay are the same ones as before.
function become(old, now) {
  const same = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
  let at = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    // One that comes later is waited for, if it has a name by which it is known.
    if (at && !same(at, wanted) && wanted.id) {
      const later = [...old.children].find((child) => same(child, wanted));
      if (later) old.insertBefore(later, at), (at = later);
    }
    if (at && same(at, wanted)) {
      if (at.nodeType === Node.ELEMENT_NODE) {
        attributes(at, wanted);
        become(at, wanted);
      } else if (at.data !== wanted.data) {
        at.data = wanted.data;
      }
      at = at.nextSibling;
    } else {
      old.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function attributes(old, now) {
  for (const { name } of [...old.attributes]) {
    // What its reader has unfolded is the reader's.
    if (!now.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  for (const { name, value, namespaceURI } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttributeNS(namespaceURI, name, value);
  }
}

let lostSince;
let timer;

function clock(date) {
  return date.toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

// Says how the connection stands. What is said anew every time is said to nobody who listens.
function say(text, lost) {
  const link = element("link");
  if (link.textContent !== text) link.textContent = text;
  link.classList.toggle("lost", lost);
  element("live").classList.toggle("stale", lost);
  for (const child of element("live").children) child.classList.toggle("stale", lost);
}

async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await ask("live", { signal: AbortSignal.timeout(20000) });
    if (answer.status === 401 || answer.status === 403) {
      const known = sessionStorage.getItem(TOKEN);
      element("enter").hidden = false;
      element("tools").hidden = true;
      say(known ? "This token may not see this run. Enter another." : "A token is needed to see this run.", false);
      // It is asked again once one is entered.
      return;
    }
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const text = await answer.text();
    const parsed = new DOMParser().parseFromString(text, "text/html");
    become(element("live"), parsed.body);
    document.title = element("live").querySelector("h1")?.textContent ?? "understudy";
    element("enter").hidden = true;
    if (!understudy.roles.length) await roles();
    lostSince = undefined;
    say("Connected: this page keeps itself up to date.", false);
  } catch {
    lostSince ??= new Date();
    say(`The connection is lost since ${clock(lostSince)}. What is shown is as it was then; it is tried again.`, true);
  }
  // A page that nobody sees asks for nothing.
  timer = document.hidden ? undefined : setTimeout(refresh, EVERY);
}

// Shows what whoever looks may do.
async function roles() {
  const answer = await ask("v1/whoami");
  if (!answer.ok) return;
  understudy.roles = (await answer.json()).roles;
  let any = false;
  for (const tool of document.querySelectorAll("[data-role]")) {
    tool.hidden = !understudy.roles.includes(tool.dataset.role);
    any ||= !tool.hidden;
  }
  element("tools").hidden = !any;
}

element("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, element("token").value.trim());
  element("token").value = "";
  understudy.roles = [];
  refresh();
});

document.addEventListener("visibilitychange", () => document.hidden || timer || refresh());

refresh();
