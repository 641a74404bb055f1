// What the forms of the page do: swap a plugin, end the run, review disagreements, show a case.
//
// Always holds: whatever a record, a plugin or the server says is shown as text; a form that was sent is not sent again before
// it is answered.

"use strict";

(() => {
  const { ask, element } = understudy;

  // Says what became of something, below its form.
  function told(id, text, tone = "") {
    element(id).textContent = text;
    element(id).className = `said ${tone}`;
  }

  // Sends JSON and gives what is answered; an error has the server's own words.
  async function send(path, body) {
    const options = body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const answer = await ask(path, options || undefined);
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.detail ?? `the server answers ${answer.status}`);
    return said;
  }

  // Has a form do something, and its buttons wait for that.
  function submits(form, saidIn, what) {
    element(form).addEventListener("submit", async (event) => {
      event.preventDefault();
      const buttons = [...element(form).querySelectorAll("button")];
      buttons.forEach((button) => (button.disabled = true));
      told(saidIn, "One moment …");
      try {
        await what();
      } catch (error) {
        told(saidIn, error.message, "bad");
      }
      buttons.forEach((button) => (button.disabled = false));
    });
  }

  function options(select, values) {
    const chosen = element(select).value;
    const named = ([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text });
    element(select).replaceChildren(...values.map(named));
    if (values.some(([value]) => value === chosen)) element(select).value = chosen;
  }

  // What can be chosen is asked for when a form is unfolded.
  for (const id of ["swap", "review"]) {
    element(id).addEventListener("toggle", async () => {
      if (!element(id).open) return;
      try {
        const status = await send("v1/status");
        const plugins = status.standing?.plugins ?? [];
        options("swap-plugin", plugins.map(({ name, role, generation }) => [name, `${name} (${role}, generation ${generation})`]));
        options("review-model", status.models.map((name) => [name, name]));
      } catch (error) {
        told(`${id}-said`, error.message, "bad");
      }
    });
  }

  async function base64(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  }

  submits("swap-form", "swap-said", async () => {
    const body = { plugin: element("swap-plugin").value, reason: element("swap-reason").value };
    const [file] = element("swap-component").files;
    const config = element("swap-config").value.trim();
    if (file) body.component = await base64(file);
    if (config) {
      try {
        body.config = JSON.parse(config);
      } catch (error) {
        throw new Error(`the config is no JSON: ${error.message}`);
      }
    }
    if (element("swap-anyway").checked) body.anyway = true;
    if (element("swap-undo").checked) body.undo = true;
    const { generation } = await send("v1/swaps", body);
    told("swap-said", `Done: generation ${generation} is in force.`, "good");
    element("swap-form").reset();
    refresh();
  });

  submits("end-form", "end-said", async () => {
    await send("v1/end", { reason: element("end-reason").value });
    told("end-said", "The run is ending.", "good");
    element("end-form").reset();
  });

  // A table of names and values.
  function table(caption, rows) {
    const cell = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const row = ([name, ...values]) => {
      const line = document.createElement("tr");
      const head = cell("th", name);
      head.scope = "row";
      line.append(head, ...values.map((value) => cell("td", value ?? "–")));
      return line;
    };
    const made = document.createElement("table");
    const body = document.createElement("tbody");
    body.append(...rows.map(row));
    made.append(cell("caption", caption), body);
    const scroll = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", caption);
    scroll.append(made);
    return scroll;
  }

  const answered = ({ answer, unanswered, confidence }) =>
    (answer ?? `(${unanswered})`) + (confidence == null ? "" : `, confidence ${confidence}`);

  // A case as tables.
  function shown(found) {
    const told = [
      ["observed", found["observed-at"]],
      ["decided", found["decided-at"]],
      ["window", found.window],
      ["blinded", found.blinded ? "yes: the models were asked only once the decision was there" : "no"],
      ...found.conditions,
    ];
    const answers = [[`${found.comparator.name}: what was done`, answered(found.done), ...found.metrics.map(() => "")]];
    for (const model of found.models) answers.push([model.plugin.name, answered(model.said), ...model.figures.map((figure) => figure ?? "–")]);
    const tables = [
      table(`Answers; figures by ${found.metrics.join(", ")}`, answers),
      table("Snapshot", found.fields),
      table("Decision", found.decision),
      table(`Case ${found.id}`, told),
    ];
    for (const model of found.models) {
      const alike = (model.similar ?? []).map((one) => [one.id, one["observed-at"], one.answer, one.done]);
      if (alike.length) tables.push(table(`Like cases in which ${model.plugin.name} differs`, alike));
    }
    return tables;
  }

  submits("case-form", "case-said", async () => {
    element("case-shown").replaceChildren();
    const found = await send(`v1/cases/${encodeURIComponent(element("case-id").value)}`);
    element("case-shown").replaceChildren(...shown(found));
    told("case-said", "");
  });

  let review;
  let at;

  // Shows the next case of the review, or what it came to.
  function next(summary) {
    at += 1;
    const { cases, number, disagreements, drawn } = review;
    element("judge-form").reset();
    element("judge-form").hidden = at >= cases.length;
    if (at < cases.length) {
      const { stratum, case: found } = cases[at];
      element("judge-title").textContent = `Case ${at + 1} of ${cases.length}, from ${stratum}`;
      element("judge-case").replaceChildren(...shown(found));
      element("judge-title").focus();
      told("review-said", `${drawn} of ${disagreements} disagreements are drawn.`);
    } else {
      const judged = summary?.judged ?? 0;
      const what = cases.length ? `That was the last. ${judged} are judged by now.` : "All that were drawn are judged already.";
      told("review-said", `${what} Review ${number} is done.`, "good");
    }
  }

  submits("review-form", "review-said", async () => {
    const asked = new URLSearchParams({ model: element("review-model").value, sample: element("review-sample").value });
    const begun = await send(`v1/review?${asked}`);
    review = { ...begun, number: begun.review };
    at = -1;
    next();
  });

  submits("judge-form", "review-said", async () => {
    const judgement = new FormData(element("judge-form")).get("judgement");
    const mode = element("judge-mode").value || undefined;
    const body = { review: review.number, case: at, judgement, mode, note: element("judge-note").value };
    next((await send("v1/review", body)).summary);
  });

  element("judge-skip").addEventListener("click", () => next());
})();
