// The forms of the dashboard: swap a plugin, end the run, review disagreements, show a case.
//
// Invariants:
// - Content from records, plugins and the server is inserted as text, never as HTML.
// - A form cannot be submitted again before its response has arrived.

"use strict";

(() => {
  const { request, element } = understudy;

  // Shows the result of a form below it.
  function showResult(id, text, tone = "") {
    element(id).textContent = text;
    element(id).className = `result ${tone}`;
  }

  // Sends JSON and returns the JSON of the response; the message of an error is the detail of the problem.
  async function send(path, body) {
    const options = body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const response = await request(path, options || undefined);
    const content = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(content.detail ?? `the server responded with ${response.status}`);
    return content;
  }

  // Runs an action when a form is submitted; its buttons are disabled meanwhile.
  function onSubmit(form, resultId, action) {
    element(form).addEventListener("submit", async (event) => {
      event.preventDefault();
      const buttons = [...element(form).querySelectorAll("button")];
      buttons.forEach((button) => (button.disabled = true));
      showResult(resultId, "Please wait …");
      try {
        await action();
      } catch (error) {
        showResult(resultId, error.message, "bad");
      }
      buttons.forEach((button) => (button.disabled = false));
    });
  }

  function setOptions(select, values) {
    const chosen = element(select).value;
    const named = ([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text });
    element(select).replaceChildren(...values.map(named));
    if (values.some(([value]) => value === chosen)) element(select).value = chosen;
  }

  // The choices are loaded when a form is opened.
  for (const id of ["swap", "review"]) {
    element(id).addEventListener("toggle", async () => {
      if (!element(id).open) return;
      try {
        const status = await send("v1/status");
        const plugins = status["run-status"]?.plugins ?? [];
        setOptions("swap-plugin", plugins.map(({ name, role, generation }) => [name, `${name} (${role}, generation ${generation})`]));
        setOptions("review-model", status.models.map((name) => [name, name]));
      } catch (error) {
        showResult(`${id}-result`, error.message, "bad");
      }
    });
  }

  async function base64(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  }

  onSubmit("swap-form", "swap-result", async () => {
    const body = { plugin: element("swap-plugin").value, reason: element("swap-reason").value };
    const [file] = element("swap-component").files;
    const config = element("swap-config").value.trim();
    if (file) body.component = await base64(file);
    if (config) {
      try {
        body.config = JSON.parse(config);
      } catch (error) {
        throw new Error(`the configuration is not valid JSON: ${error.message}`);
      }
    }
    if (element("swap-force").checked) body.force = true;
    if (element("swap-undo").checked) body.undo = true;
    const { generation } = await send("v1/swaps", body);
    showResult("swap-result", `Swap applied: generation ${generation}.`, "good");
    element("swap-form").reset();
    refresh();
  });

  onSubmit("end-form", "end-result", async () => {
    await send("v1/end", { reason: element("end-reason").value });
    showResult("end-result", "The run is ending.", "good");
    element("end-form").reset();
  });

  // A table with names in the first column and values in the others.
  function table(caption, rows) {
    const cell = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const row = ([name, ...values]) => {
      const line = document.createElement("tr");
      const head = cell("th", name);
      head.scope = "row";
      line.append(head, ...values.map((value) => cell("td", value ?? "–")));
      return line;
    };
    const tableElement = document.createElement("table");
    const body = document.createElement("tbody");
    body.append(...rows.map(row));
    tableElement.append(cell("caption", caption), body);
    const scroll = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", caption);
    scroll.append(tableElement);
    return scroll;
  }

  const answerText = ({ answer, unanswered, confidence, probabilities }) =>
    (answer ?? `(${unanswered})`) +
    (confidence == null ? "" : `, confidence ${confidence}`) +
    (probabilities == null ? "" : `, probabilities ${JSON.stringify(probabilities)}`);

  // The tables of a case.
  function caseTables(view) {
    const facts = [
      ["observed", view["observed-at"]],
      ["decided", view["decided-at"]],
      ["window", view.window],
      ["blinded", view.blinded ? "yes: the models were evaluated only after the decision had arrived" : "no"],
      ...view.conditions,
    ];
    const answers = [[view.comparator.name, answerText(view["substrate-answer"]), ...view.metrics.map(() => "")]];
    for (const model of view.models) answers.push([model.plugin.name, answerText(model.answer), ...model["metric-values"].map((value) => value ?? "–")]);
    const tables = [
      table(`Answers, with values of ${view.metrics.join(", ")}`, answers),
      table("Snapshot", view.fields),
      table("Decision", view.decision),
      table(`Case ${view.id}`, facts),
    ];
    for (const model of view.models) {
      const similar = (model.similar ?? []).map((one) => [one.id, one["observed-at"], one.answer, one["substrate-answer"]]);
      if (similar.length) tables.push(table(`Similar cases in which ${model.plugin.name} differs`, similar));
    }
    return tables;
  }

  onSubmit("case-form", "case-result", async () => {
    element("case-content").replaceChildren();
    const view = await send(`v1/cases/${encodeURIComponent(element("case-id").value)}`);
    element("case-content").replaceChildren(...caseTables(view));
    showResult("case-result", "");
  });

  let review;
  // Index of the shown case.
  let index;

  // Shows the next case of the review, or its result after the last case.
  function showNext(summary) {
    index += 1;
    const { cases, number, disagreements, drawn } = review;
    element("judge-form").reset();
    element("judge-form").hidden = index >= cases.length;
    if (index < cases.length) {
      const { stratum, case: view } = cases[index];
      element("judge-title").textContent = `Case ${index + 1} of ${cases.length}, from ${stratum}`;
      element("judge-case").replaceChildren(...caseTables(view));
      element("judge-title").focus();
      showResult("review-result", `Sample of ${drawn} of ${disagreements} disagreements.`);
    } else {
      const judged = summary?.judged ?? 0;
      const what = cases.length ? `No more cases. Judged so far: ${judged}.` : "All sampled cases are already judged.";
      showResult("review-result", `${what} Review ${number} is complete.`, "good");
    }
  }

  onSubmit("review-form", "review-result", async () => {
    const query = new URLSearchParams({ model: element("review-model").value, sample: element("review-sample").value });
    const started = await send(`v1/review?${query}`);
    review = { ...started, number: started.review };
    index = -1;
    showNext();
  });

  onSubmit("judge-form", "review-result", async () => {
    const judgement = new FormData(element("judge-form")).get("judgement");
    const mode = element("judge-mode").value || undefined;
    const body = { review: review.number, case: index, judgement, mode, note: element("judge-note").value };
    showNext((await send("v1/review", body)).summary);
  });

  element("judge-later").addEventListener("click", () => showNext());
})();
