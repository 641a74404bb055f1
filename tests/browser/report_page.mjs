// Opens a report page in a browser and prints its observations as one JSON object.
//
//     node report_page.mjs FILE [OPTIONS]
//
// OPTIONS is a JSON object with optional keys: `texts`, CSS selectors whose texts are read; `keys`, keys to press in turn on a
// fresh page; `folder`, for screenshots and a PDF. UNDERSTUDY_CHROMIUM is the path of the browser, UNDERSTUDY_NODE_MODULES the
// folder with the packages of package.json.
//
// Invariants:
// - Every request except that of the page itself, and every error, is reported. The test judges them, not this script.

import { createRequire } from "node:module";
import { readFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(resolve(process.env.UNDERSTUDY_NODE_MODULES), "report_page.cjs"));
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

// Opens a page that records its requests and errors.
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request) => request.url() === address || found.requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && found.errors.push(message.text()));
  page.on("pageerror", (error) => found.errors.push(String(error)));
  await page.goto(address);
  return page;
}

// Serious and critical violations of axe-core rules, with the affected elements.
async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 5).map((node) => node.html.slice(0, 200)) }));
}

// Chart labels that overlap or exceed the edge of their chart by more than one pixel per side.
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
// The text of the printed page, without what the print style hides.
await page.emulateMedia({ media: "print" });
found.printed = await page.evaluate(() => document.body.innerText.replace(/\s+/g, " "));
if (folder) await page.pdf({ path: join(folder, "page.pdf"), preferCSSPageSize: true, printBackground: true });
await browser.close();
console.log(JSON.stringify(found));
