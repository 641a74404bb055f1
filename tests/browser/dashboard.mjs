// Opens the dashboard of a served run in a browser and prints its observations as one JSON object.
//
//     node dashboard.mjs ADDRESS MODE OPTIONS
//
// MODE is `grow`: records are posted while the page is open; `token`: the server requires a token; `review`: cases are judged;
// `swap`: a plugin is swapped. OPTIONS is a JSON object: `posts`, pairs of a path and a body; `received` and `covers`, texts that
// the page finally shows; `component`, a plugin file; `folder`, for screenshots. For UNDERSTUDY_CHROMIUM and
// UNDERSTUDY_NODE_MODULES see report_page.mjs.
//
// Invariants:
// - Every request and every error is reported. The test judges them, not this script.

import { createRequire } from "node:module";
import { readFile, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.env.UNDERSTUDY_NODE_MODULES), "watch.cjs"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const [address, mode, given = "{}"] = process.argv.slice(2);
const { posts = [], received, covers, component, folder } = JSON.parse(given);
// Maximum wait in milliseconds. It is not a measurement.
const LIMIT = { timeout: 90000 };
const found = { requests: [], errors: [], views: [], steps: {} };

const quiet = ["quic", "background-networking", "component-update", "sync"].map((what) => `--disable-${what}`);
const browser = await chromium.launch({
  executablePath: process.env.UNDERSTUDY_CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet],
});

async function open(options, before = async () => {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request) => found.requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && found.errors.push(message.text()));
  page.on("pageerror", (error) => found.errors.push(String(error)));
  await before(page);
  await page.goto(address);
  return page;
}

// The column of the accounting table for snapshots.
const account = (page) =>
  page.evaluate(() => [...document.querySelector("#accounting table").rows].map((row) => row.cells[1].textContent));

// The texts of the figure of the study, for pages and for small screens.
const study = (page) =>
  page.evaluate(() => [...document.querySelectorAll("#study svg.chart")].map((chart) => chart.textContent.replace(/\s+/g, " ")));

// Serious and critical violations of axe-core rules, with the affected elements.
async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 5).map((node) => node.html.slice(0, 200)) }));
}

const widths = (page) => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
const shown = (page, text, where = "body") =>
  page.waitForFunction(([where, text]) => document.querySelector(where)?.textContent.includes(text), [where, text], LIMIT);

async function view(scheme, width) {
  const page = await open({ colorScheme: scheme, viewport: { width, height: 900 } });
  await shown(page, "Connected", "#connection");
  const closed = await widths(page);
  if (folder) await page.screenshot({ path: join(folder, `${scheme}-${width}.png`), fullPage: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await page.waitForFunction(() => document.querySelector("#swap-plugin").options.length > 0, undefined, LIMIT);
  if (folder) {
    await page.screenshot({ path: join(folder, `${scheme}-${width}-open.png`), fullPage: true });
    await page.locator("#tools").screenshot({ path: join(folder, `${scheme}-${width}-tools.png`) });
    await page.locator("#accounting").screenshot({ path: join(folder, `${scheme}-${width}-accounting.png`) });
  }
  found.views.push({ scheme, width, closed, open: await widths(page), violations: await violations(page), crowded: [] });
  await page.context().close();
}

async function grow() {
  const page = await open({ viewport: { width: 1280, height: 900 } });
  await shown(page, "Connected", "#connection");
  await shown(page, "NO FIGURES YET", ".banner");
  found.steps.before = { banner: await page.textContent(".banner"), account: await account(page), study: await study(page) };
  if (folder) await page.screenshot({ path: join(folder, "before.png"), fullPage: true });
  await page.evaluate(() => (globalThis.marker = "the same page"));
  const half = posts.length / 2;
  for (const [at, [path, body]] of posts.entries()) {
    const answer = await fetch(new URL(path, address), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body,
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    if (at + 1 !== half) continue;
    // Results are shown now. The reader's state must survive the following updates.
    await shown(page, "SO FAR", ".banner");
    await page.click("#threshold figure details.data summary");
    await page.focus("#threshold figure details.data summary");
    await page.evaluate(() => scrollTo(0, 333));
  }
  await page.waitForFunction(
    (received) => document.querySelector("#accounting tbody td:nth-child(2)").textContent === received,
    received,
    LIMIT,
  );
  await page.waitForFunction(
    (covers) => [...document.querySelectorAll(".lead dd")].some((cell) => cell.textContent.includes(covers)),
    covers,
    LIMIT,
  );
  found.steps.after = await page.evaluate(() => ({
    marker: globalThis.marker,
    focus: document.activeElement.textContent,
    open: document.querySelector("#threshold figure details.data").open,
    scrolled: scrollY,
    banner: document.querySelector(".banner").textContent,
    marks: document.querySelectorAll("#threshold svg.chart").length,
  }));
  found.steps.after.account = await account(page);
  found.steps.after.study = await study(page);
  for (const scheme of ["light", "dark"]) for (const width of [1280, 400]) await view(scheme, width);
  // Keyboard only: Tab reaches every control, and the space bar expands a form.
  await page.focus("#swap summary");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  found.steps.keys = await page.evaluate(() => [document.querySelector("#swap").open, document.activeElement.id]);
  found.steps.errors = [...found.errors];
  // The browser's error about an interrupted connection is not an error of the page.
  await page.context().setOffline(true);
  await shown(page, "Connection lost since", "#connection");
  found.steps.lost = await page.textContent("#connection");
  if (folder) await page.screenshot({ path: join(folder, "lost.png") });
  await page.context().setOffline(false);
  await shown(page, "Connected", "#connection");
  found.errors = found.steps.errors;
}

async function token() {
  const page = await open({ viewport: { width: 400, height: 700 } }, (page) =>
    page.route("**/live", async (route) => {
      const said = route.request().headers().authorization;
      if (said === "Bearer right") await route.continue();
      else await route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" });
    }),
  );
  await shown(page, "requires a token", "#connection");
  found.steps.hidden = await page.isHidden("#tools");
  found.steps.nothing = await page.textContent("#live");
  found.steps.violations = await violations(page);
  if (folder) await page.screenshot({ path: join(folder, "token.png") });
  await page.fill("#token", "wrong");
  await page.keyboard.press("Enter");
  await shown(page, "This token gives no access", "#connection");
  await page.fill("#token", "right");
  await page.keyboard.press("Enter");
  await shown(page, "Connected", "#connection");
  found.steps.shown = await page.textContent("h1");
  found.steps.stored = await page.evaluate(() => [Object.keys(localStorage).length, document.cookie, location.href]);
  // The rejections above are intended.
  found.errors = found.errors.filter((error) => !error.includes("401"));
}

async function review() {
  const page = await open({ viewport: { width: 1280, height: 900 } });
  await shown(page, "Connected", "#connection");
  await page.click("#review > summary");
  await page.waitForFunction(() => document.querySelector("#review-model").options.length > 0, undefined, LIMIT);
  await page.fill("#review-sample", "2");
  await page.click("#review-form button");
  for (const [at, choice] of ["#j-model", "#j-substrate"].entries()) {
    await shown(page, `Case ${at + 1} of 2`, "#judge-title");
    found.steps[`case${at + 1}`] = await page.textContent("#judge-case");
    if (at === 0) {
      found.steps.violations = await violations(page);
      if (folder) await page.screenshot({ path: join(folder, "review.png"), fullPage: true });
    }
    await page.check(choice);
    await page.selectOption("#judge-mode", "boundary");
    await page.click("#judge-form button:not([type])");
  }
  await shown(page, "No more cases", "#review-result");
  found.steps.said = await page.textContent("#review-result");
  await page.click("#case > summary");
  await page.fill("#case-id", "nowhere");
  await page.click("#case-form button");
  await page.waitForFunction(() => document.querySelector("#case-result").className.includes("bad"), undefined, LIMIT);
  found.steps.unknown = await page.textContent("#case-result");
  // The rejection of a nonexistent case is intended.
  found.errors = found.errors.filter((error) => !error.includes("422"));
}

// Swaps a plugin and waits until the page shows it without a reload.
async function swap() {
  const page = await open({ viewport: { width: 1280, height: 900 } });
  await shown(page, "Connected", "#connection");
  const generations = () =>
    page.evaluate(() =>
      Object.fromEntries([...document.querySelectorAll("#plugins tbody tr")].map(({ cells }) => [cells[1].textContent, cells[3].textContent])),
    );
  found.steps.before = await generations();
  await page.evaluate(() => (globalThis.marker = "the same page"));
  await page.click("#swap > summary");
  await page.waitForFunction(() => document.querySelector("#swap-plugin").options.length > 0, undefined, LIMIT);
  await page.selectOption("#swap-plugin", "echo");
  await page.setInputFiles("#swap-component", component);
  await page.fill("#swap-config", "{ no JSON");
  await page.fill("#swap-reason", "tried from the page");
  await page.click("#swap-form button");
  await shown(page, "the configuration is not valid JSON", "#swap-result");
  await page.fill("#swap-config", "");
  await page.click("#swap-form button");
  await shown(page, "generation 1.", "#swap-result");
  // The page shows it without a reload.
  await page.waitForFunction(
    () => [...document.querySelectorAll("#plugins tbody tr")].some(({ cells }) => cells[1].textContent === "echo" && cells[3].textContent === "1"),
    undefined,
    LIMIT,
  );
  found.steps.after = await generations();
  found.steps.marker = await page.evaluate(() => globalThis.marker);
  if (folder) await page.screenshot({ path: join(folder, "swapped.png"), fullPage: true });
}

if (folder) await mkdir(folder, { recursive: true });
await { grow, token, review, swap }[mode]();
await browser.close();
console.log(JSON.stringify(found));
