// Opens a page in a browser, looks at it as its readers do, and prints what it found as one JSON object.
//
//     node look.mjs FILE [OPTIONS]
//
// OPTIONS is JSON, all of it optional: `texts`, selectors whose texts are read; `keys`, keys that are pressed one after
// the other on a fresh page; `folder`, where screenshots and a PDF go. UNDERSTUDY_CHROMIUM names the browser,
// UNDERSTUDY_NODE_MODULES the folder with what package.json asks for.
//
// Always holds: every request but that for the page itself is told, and so is every error; nothing is judged here.

import { createRequire } from "node:module";
import { readFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(resolve(process.env.UNDERSTUDY_NODE_MODULES), "look.cjs"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const [file, given = "{}"] = process.argv.slice(2);
const { texts = [], keys = [], folder } = JSON.parse(given);
const address = pathToFileURL(resolve(file)).href;
const found = { requests: [], errors: [], views: [], texts: {}, keys: [] };

const quiet = ["quic", "background-networking", "component-update", "sync"].map((what) => `--disable-${what}`);
const browser = await chromium.launch({
  executablePath: process.env.UNDERSTUDY_CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet],
});

// A page that tells what it asks for and what goes wrong in it.
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request) => request.url() === address || found.requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && found.errors.push(message.text()));
  page.on("pageerror", (error) => found.errors.push(String(error)));
  await page.goto(address);
  return page;
}

// What is worse than moderate by the rules of axe-core, with the elements that it concerns.
async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 5).map((node) => node.html.slice(0, 200)) }));
}

// The labels of charts that stand on each other or beyond the edge of their chart. A pixel of each side is forgiven.
function crowded(page) {
  return page.evaluate(() => {
    const found = [];
    for (const chart of document.querySelectorAll("svg.chart")) {
      const edge = chart.getBoundingClientRect();
      const labels = [...chart.querySelectorAll("text")].map((text) => [text.textContent.trim(), text.getBoundingClientRect()]);
      labels.forEach(([name, one], at) => {
        if (one.left < edge.left - 1 || one.right > edge.right + 1 || one.top < edge.top - 1 || one.bottom > edge.bottom + 1)
          found.push(`${name} | beyond the edge`);
        for (const [other, two] of labels.slice(at + 1)) {
          const across = Math.min(one.right, two.right) - Math.max(one.left, two.left);
          const down = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
          if (across > 2 && down > 2) found.push(`${name} | ${other}`);
        }
      });
    }
    return found;
  });
}

const widths = (page) => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);

if (folder) await mkdir(folder, { recursive: true });
for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 400]) {
    const page = await open({ colorScheme: scheme, viewport: { width, height: 900 } });
    const closed = await widths(page);
    if (folder) await page.screenshot({ path: join(folder, `${scheme}-${width}.png`), fullPage: true });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    const seen = { closed, open: await widths(page), violations: await violations(page), crowded: await crowded(page) };
    found.views.push({ scheme, width, ...seen });
    await page.context().close();
  }
}

const page = await open({ viewport: { width: 1280, height: 900 } });
for (const selector of texts) {
  found.texts[selector] = await page.evaluate((selector) => {
    const text = (element) => element.textContent.replace(/\s+/g, " ").trim();
    return [...document.querySelectorAll(selector)].map(text);
  }, selector);
}
for (const key of keys) {
  await page.keyboard.press(key);
  const after = await page.evaluate(() => {
    const element = document.activeElement;
    const text = element.textContent.replace(/\s+/g, " ").trim().slice(0, 100);
    const open = [...document.querySelectorAll("details[open]")].length;
    return { tag: element.tagName.toLowerCase(), id: element.id, text, open, hash: location.hash };
  });
  found.keys.push({ key, ...after });
}
// What is there to be read on paper: what is folded away by the print style is not.
await page.emulateMedia({ media: "print" });
found.printed = await page.evaluate(() => document.body.innerText.replace(/\s+/g, " "));
if (folder) await page.pdf({ path: join(folder, "page.pdf"), preferCSSPageSize: true, printBackground: true });
await browser.close();
console.log(JSON.stringify(found));
