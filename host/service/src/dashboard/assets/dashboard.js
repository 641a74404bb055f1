// Refreshes the dashboard: fetches its content every two seconds, and updates the elements that have changed.
//
// Invariants:
// - Focus, open details and scroll positions survive a refresh.
// - All requests go to this server.
// - The token is stored for this browser tab only.

"use strict";

// Milliseconds between two refreshes.
const REFRESH_INTERVAL = 2000;
const TOKEN = "understudy-token";
const element = (id) => document.getElementById(id);

// Shared with forms.js.
const understudy = { roles: [], request, element };

// Sends a request, with the token if one was entered.
function request(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return fetch(path, { cache: "no-store", redirect: "error", ...options, headers });
}

// Changes one DOM tree into another with few steps. Elements that occur in both are kept.
function morph(old, now) {
  const same = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
  let current = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    // An element that occurs later is moved here, if its id identifies it.
    if (current && !same(current, wanted) && wanted.id) {
      const later = [...old.children].find((child) => same(child, wanted));
      if (later) old.insertBefore(later, current), (current = later);
    }
    if (current && same(current, wanted)) {
      if (current.nodeType === Node.ELEMENT_NODE) {
        updateAttributes(current, wanted);
        morph(current, wanted);
      } else if (current.data !== wanted.data) {
        current.data = wanted.data;
      }
      current = current.nextSibling;
    } else {
      old.insertBefore(document.importNode(wanted, true), current);
    }
  }
  while (current) {
    const next = current.nextSibling;
    current.remove();
    current = next;
  }
}

function updateAttributes(old, now) {
  for (const { name } of [...old.attributes]) {
    // The user controls whether details are open.
    if (!now.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  for (const { name, value, namespaceURI } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttributeNS(namespaceURI, name, value);
  }
}

let lostSince;
let timer;

function formatUtc(date) {
  return date.toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

// Shows the state of the connection. Unchanged text is not set again, so that screen readers do not repeat it.
function showConnection(text, lost) {
  const status = element("connection");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("lost", lost);
  element("live").classList.toggle("stale", lost);
  for (const child of element("live").children) child.classList.toggle("stale", lost);
}

async function refresh() {
  clearTimeout(timer);
  try {
    const response = await request("live", { signal: AbortSignal.timeout(20000) });
    if (response.status === 401 || response.status === 403) {
      const known = sessionStorage.getItem(TOKEN);
      element("enter").hidden = false;
      element("tools").hidden = true;
      showConnection(known ? "This token gives no access to the run. Enter another one." : "Access to this run requires a token.", false);
      // Entering a token refreshes again.
      return;
    }
    if (!response.ok) throw new Error(`the server responded with ${response.status}`);
    const text = await response.text();
    const parsed = new DOMParser().parseFromString(text, "text/html");
    morph(element("live"), parsed.body);
    document.title = element("live").querySelector("h1")?.textContent ?? "understudy";
    element("enter").hidden = true;
    if (!understudy.roles.length) await showForms();
    lostSince = undefined;
    showConnection("Connected; the page refreshes itself.", false);
  } catch {
    lostSince ??= new Date();
    showConnection(`Connection lost since ${formatUtc(lostSince)}. The content is from that time. Reconnecting.`, true);
  }
  // A hidden page does not refresh.
  timer = document.hidden ? undefined : setTimeout(refresh, REFRESH_INTERVAL);
}

// Shows the forms that the roles of the user permit.
async function showForms() {
  const response = await request("v1/whoami");
  if (!response.ok) return;
  understudy.roles = (await response.json()).roles;
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
