// Live predictions: one row a class, ten seconds of its probability, the decision; of words also what was
// announced, to hear and to harvest. After `core.js` and `sound.js`.

const SECONDS = 10;

export default () => widgetOf((model) => {
  const past = { rows: [], labels: model.get("config").labels, background: [], cost: null, tally: { decisions: 0, wrong: 0, unsure: 0, each: {} }, arrived: 0, detected: [], lag: null };
  const add = (m, buffer) => {
    const n = m.labels.length, p = bytesOf(buffer);
    if (m.fresh || past.labels.join("\n") !== m.labels.join("\n")) past.rows = [];
    past.labels = m.labels; past.background = m.background; past.cost = m.cost; past.tally = m.tally; past.arrived = Date.now() - 1000 * (m.age || 0);
    m.rows.forEach(([number, t, decision], i) => {
      const before = past.rows[past.rows.length - 1];
      if (before && t < before.t) past.rows = []; // live was opened anew
      past.rows.push({ number, t, decision, p: p.slice(i * n, (i + 1) * n) });
    });
    const end = past.rows[past.rows.length - 1].t;
    while (past.rows.length > 1 && past.rows[1].t < end - SECONDS - 1) past.rows.shift(); // one stays: a gap begins there
    // Answers come in steps, and not evenly; the picture runs by a clock that follows theirs slowly.
    const lag = performance.now() / 1000 - (m.age || 0) - end;
    past.lag = past.lag === null || m.fresh || Math.abs(lag - past.lag) > 1 ? lag : past.lag + 0.1 * (lag - past.lag);
  };
  return {
    take(m, buffers) {
      if (m.k === "answers") add(m, buffers[0]);
      if (m.k === "status") past.tally = m.tally;
      if (m.k === "config") { // of another pipeline: answers of the one before are not shown under its labels
        if (m.anew || past.labels.join("\n") !== m.config.labels.join("\n")) past.rows = [];
        past.labels = m.config.labels; past.background = m.config.background;
      }
      if (m.k === "heard") m.counts = int16Of(buffers[0]);
      if (m.k === "detected") {
        const known = past.detected.findIndex((d) => d.number === m.number && d.at === m.at);
        if (known >= 0) past.detected[known] = m; else past.detected.push(m);
        past.detected.sort((a, b) => a.at - b.at); // one whose sound is late is told late
        past.detected.splice(0, past.detected.length - 40);
      }
    },
    view: (model, lastStatus) => liveView(model, past, lastStatus),
  };
});

function liveView(model, past, lastStatus) {
  let config = model.get("config");
  const ui = frame("Live predictions", model.get("head"));
  let { threshold, thresholds, smoothing, suppression_s: suppression, each: apart } = config;
  const each = () => (config.sound || apart) && thresholds.length; // one threshold a word, or a class
  const levelOf = (j) => each() ? thresholds[j] ?? threshold : threshold;
  let held = null, colours = null, labels = [], rows = [], ruleTimer = 0, dragging = 0, stale = false;

  const swatch = h("i", {}), word = h("div.w.un", {}, "…"), under = h("div.u.num", {}, "waiting for the first answer");
  const spoken = h("span.vh", { "aria-live": "polite", "aria-atomic": "true" }), say = politely(spoken, 2000);
  const wrong = button("That was wrong", { pic: "wrong", key: "W", "aria-expanded": "false", onclick: () => ask() });
  const question = h("div", {}), filed = h("div", {});
  const cv = h("canvas", { role: "img", "aria-label": "Probabilities of the last 10 seconds.", onpointerdown: (e) => pick(e), onpointermove: (e) => { if (e.buttons) pick(e); } });
  const grid = h("div.tk-live", {}), heading = h("span.hd", { style: "grid-column:1/3" }), nowHead = h("span.hd", { style: "grid-column:3/5" }),
    timesHead = h("span.hd.mut", { style: "grid-column:5", title: "how often it was decided since the last Reset" }, "times");
  const describe = describer(cv);

  const slider = (label, { name, ...attrs }, show, onmove) => {
    const out = h("span.num", {});
    const input = h("input", { type: "range", "aria-label": label, ...attrs, oninput: () => { onmove(+input.value); paint(); dragging = Date.now(); clearTimeout(ruleTimer); ruleTimer = setTimeout(sendRule, 150); } });
    const paint = () => { input.style.setProperty("--p", `${100 * (input.value - attrs.min) / (attrs.max - attrs.min)}%`); setText(out, show(+input.value)); input.setAttribute("aria-valuetext", show(+input.value)); };
    paint();
    return { el: h("label.tk-range", {}, h("span", {}, name || label), input, out), set: (v) => { input.value = v; paint(); } };
  };
  const sendRule = () => model.send({ k: "rule", smoothing, ...(each() ? { thresholds: Object.fromEntries(words().map((j) => [labels[j], thresholds[j]])), suppression_s: suppression } : { threshold }) });
  const words = () => labels.map((_, j) => j).filter((j) => !config.background.includes(j));
  const sliders = h("div.grid", {}), split = button("", { kind: "quiet", onclick: () => { apart = !apart; if (apart) thresholds = labels.map(() => threshold); sendRule(); buildSliders(); placeTicks(); touch(); } }), unit = (v) => config.sound ? (v === 1 ? "1 answer" : `${v} answers`) : v === 1 ? "1 window" : `${v} windows`;
  let thresholdSlider = null, wordSliders = [];
  const smoothingSlider = slider("Smoothing", { min: 1, max: 8, step: 1, value: smoothing }, unit, (v) => { smoothing = v; });
  const suppressionSlider = slider("Pause after a word", { min: 0, max: 3, step: 0.1, value: suppression }, (v) => `${v.toFixed(1)} s`, (v) => { suppression = v; });
  const buildSliders = () => {
    const one = { min: 0, max: 1, step: config.sound ? 0.01 : 0.05 };
    thresholdSlider = each() ? null : slider("Threshold", { ...one, value: threshold }, (v) => v.toFixed(2), (v) => { threshold = v; placeTicks(); touch(); });
    wordSliders = each() ? words().map((j) => [j, slider(`Threshold “${labels[j]}”`, { ...one, name: labels[j], value: thresholds[j] }, (v) => v.toFixed(2), (v) => { thresholds[j] = v; placeTicks(); touch(); })]) : [];
    const all = [...(thresholdSlider ? [thresholdSlider] : wordSliders.map(([, s]) => s)), smoothingSlider, ...(config.sound ? [suppressionSlider] : [])];
    all.forEach((s, i) => s.el.classList.toggle("even", i % 2 === 1));
    fill(sliders, each() ? h("span.s.mut.all", {}, config.sound ? "Thresholds of the words" : "Thresholds of the classes") : "", all.map((s) => s.el));
    split.style.display = config.sound ? "none" : "";
    setText(split.querySelector(".t"), apart ? "One threshold" : "One per class");
    split.setAttribute("aria-label", apart ? "One threshold for all classes" : "One threshold per class");
  };
  const takeRule = (m) => { const was = each(); ({ threshold, thresholds, smoothing, suppression_s: suppression, each: apart } = m); if (each() !== was) buildSliders(); showRule(); };
  const showRule = () => {
    thresholdSlider?.set(threshold.toFixed(2));
    for (const [j, s] of wordSliders) s.set(thresholds[j].toFixed(2));
    smoothingSlider.set(smoothing); suppressionSlider.set(suppression.toFixed(1));
    placeTicks(); touch();
  };
  // What was announced: hear it, file it as a negative in one click.
  const list_ = h("div", {}), player = config.sound ? soundPlayer() : null;
  let playing = null, inView = [];
  const found = h("div", { role: "list", "aria-label": "Latest announcements" }), newer = h("span.s.mut", {}, "nothing yet"), made = new Map();
  const hear = (d) => { player.wake(); playing = d.number; model.send({ k: "hear", number: d.number }); };
  const rowOf = (d) => {
    const id = `${d.number} ${d.at}`, before = made.get(id);
    if (before && before.filed === d.filed) return before;
    const at = clock(1000 * d.at), name = `“${d.label}” at ${at}`;
    const row = h("div.row", { role: "listitem" }, h("span.num.mut", {}, at), h("b", {}, d.label), h("span.num.mut", {}, d.p.toFixed(2)),
      h("span.grow.mut", {}, d.filed ? state("ok", `filed as “${config.negative}”`, "tag") : d.heard ? "" : "its sound was lost"),
      d.heard ? h("button.tk-btn.ico.sm", { type: "button", "aria-label": `Play ${name}`, title: "Play", onclick: () => hear(d) }, icon("play")) : "",
      !d.heard ? "" : d.filed ? h("button.tk-btn.sm", { type: "button", "aria-label": `It was right: ${name}`, onclick: () => model.send({ k: "unfalse", number: d.number }) }, icon("undo"), h("span", {}, "Undo"))
        : h("button.tk-btn.sm", { type: "button", "aria-label": `False trigger: ${name}`, onclick: () => model.send({ k: "false", number: d.number }) }, icon("wrong"), h("span", {}, "False trigger")));
    row.filed = d.filed;
    if (before?.contains(document.activeElement)) setTimeout(() => row.querySelector("button:last-child")?.focus());
    made.set(id, row);
    return row;
  };
  const showDetected = () => {
    if (!config.sound) { fill(list_); return; }
    if (!list_.contains(found)) fill(list_, h("div.tk-found", {}, h("div.row", {}, h("h4", {}, "Announced"), newer), found));
    // Rows don't move under a hand: what comes meanwhile waits until it is gone.
    const busy = found.matches(":hover") || found.contains(document.activeElement);
    const ids = busy && inView.length ? inView : past.detected.slice(-6).map((d) => `${d.number} ${d.at}`);
    inView = ids;
    const all = past.detected.filter((d) => ids.includes(`${d.number} ${d.at}`)).reverse().map(rowOf);
    if (all.length !== found.children.length || all.some((r, i) => found.children[i] !== r)) found.replaceChildren(...all);
    const waiting = past.detected.length ? past.detected.length - 1 - past.detected.findIndex((d) => `${d.number} ${d.at}` === ids[ids.length - 1]) : 0;
    setText(newer, !past.detected.length ? "nothing yet" : waiting ? `${waiting} more since` : "");
    if (made.size > 60) for (const id of [...made.keys()].slice(0, 30)) if (!ids.includes(id)) made.delete(id);
  };
  found.addEventListener("pointerleave", () => showDetected());
  found.addEventListener("focusout", () => setTimeout(showDetected));
  const falseTrigger = () => { const d = past.detected[past.detected.length - 1]; if (!d || !d.heard || d.filed) return false; model.send({ k: "false", number: d.number }); return true; };

  const tally = h("span", {}), reset = button("Reset", { kind: "quiet", "aria-label": "Reset the counts", onclick: () => model.send({ k: "reset" }) });
  ui.controls.classList.add("s", "mut");
  ui.controls.append(tally, reset);
  ui.body.append(
    h("div.tk-dec", {}, h("div.now", {}, swatch, h("div", {}, word, under, spoken)), wrong),
    question, filed, grid, list_, h("div.tk-rules", {}, sliders, split));

  const shown = () => held || past;
  const colourOf = (j) => labels.length <= 8 ? `c${j + 1}` : "c8";

  const build = () => { // the rows, when the labels are known or change
    labels = past.labels.slice();
    const rh = labels.length > 6 ? 24 : 28;
    grid.style.gridTemplateRows = `auto repeat(${labels.length},${rh}px) auto`;
    rows = labels.map((name, j) => {
      const row = `grid-row:${j + 2};`;
      const bar = h("i", { style: `background:var(--tk-${colourOf(j)})` }), tick = h("u", {});
      const meter = h("span.tk-pb", { role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 1, style: row + "grid-column:3" }, bar, tick);
      return { label: h("span.lb", { style: row + "grid-column:1", "data-t": name }, name), meter, bar, tick, value: h("span.pv.num.mut", { style: row + "grid-column:4" }),
        times: h("span.pv.num.mut", { style: row + "grid-column:5" }), background: config.background.includes(j) };
    });
    const axis = h("span.ax", { style: `grid-row:${labels.length + 2};grid-column:3` });
    fill(grid, heading, nowHead, timesHead, h("div.cv", { style: `grid-row:2/${labels.length + 3}` }, cv),
      rows.flatMap((r) => [r.label, r.meter, r.value, r.times]),
      h("span.lb.mut.s", { style: `grid-row:${labels.length + 2};grid-column:1;height:28px` }, "decision"), axis);
    grid.axis = axis; grid.rowHeight = rh;
    buildSliders(); placeTicks();
  };
  const placeTicks = () => {
    rows.forEach((r, j) => { r.tick.style.left = `${100 * levelOf(j)}%`; r.tick.style.display = each() && config.background.includes(j) ? "none" : ""; });
    if (grid.axis && each()) fill(grid.axis, h("span.end", { style: "left:0;transform:none" }, "0"), h("span", { style: "left:50%" }, "tick = threshold"), h("span.end", { style: "left:auto;right:0;transform:none" }, "1"));
    else if (grid.axis) fill(grid.axis, threshold > 0.25 ? h("span.end", { style: "left:0;transform:none" }, "0") : "", h("span", { style: `left:${Math.min(80, Math.max(20, 100 * threshold))}%` }, `threshold ${threshold.toFixed(2)}`),
      threshold < 0.75 ? h("span.end", { style: "left:auto;right:0;transform:none" }, "1") : "");
  };

  // "That was wrong" holds the picture and marks the window behind one answer; the mark can be moved.
  const chosen = () => held ? held.rows[held.at] : past.rows[past.rows.length - 1];
  const suspect = (list) => { // the surest answer of the latest decision, if that was a moment ago: a hand is slower than the board
    const end = list[list.length - 1].t;
    let i = list.length - 1;
    while (i >= 0 && list[i].t > end - 3 && (list[i].decision < 0 || config.background.includes(list[i].decision))) i--;
    if (i < 0 || list[i].t <= end - 3) return list.length - 1;
    const d = list[i].decision;
    let best = i;
    for (; i >= 0 && list[i].decision === d; i--) if (list[i].p[d] > list[best].p[d]) best = i;
    return best;
  };
  const ask = (close) => {
    if (close || held) { held = null; fill(question); wrong.setAttribute("aria-expanded", "false"); wrong.focus(); touch(); return; }
    if (!past.rows.length) return;
    held = { ...past, rows: past.rows.slice(), at: suspect(past.rows) };
    fill(filed);
    wrong.setAttribute("aria-expanded", "true");
    offer();
    touch();
  };
  const offer = () => { // the names that it may have been
    const answer = (truth) => { model.send({ k: "wrong", number: chosen().number, truth }); ask(true); };
    const choices = labels.filter((_, j) => j !== chosen().decision);
    const buttons = choices.map((name, i) => button(name, { onclick: () => answer(name), "aria-keyshortcuts": String(i + 1) }));
    fill(question, h("div.tk-ask", { role: "group", "aria-label": "What was it really?" }, h("b", {}, "What was it really?"), buttons,
      button("none of these", { kind: "quiet", onclick: () => answer(null) }), button("cancel", { kind: "quiet", onclick: () => ask(true) }),
      h("span.s.mut", { style: "flex-basis:100%" }, `Saves the marked ${config.window_s.toFixed(1)} s ${config.dataset ? "as a new take" : "in this widget"}, labelled “corrected”; ← and → move the mark.${config.dataset ? " It is used the next time you train." : ""}`)));
    buttons[0]?.focus();
    question.choose = (i) => choices[i] && answer(choices[i]);
  };
  const mark_ = (at) => {
    const before = chosen().decision;
    held.at = Math.min(held.rows.length - 1, Math.max(0, at));
    if (chosen().decision !== before) offer();
    touch();
    return true;
  };
  const move = (step) => (e) => held && e.target.type !== "range" ? mark_(held.at + step) : false;
  const pick = (e) => {
    if (!held) return;
    const end = held.rows[held.rows.length - 1].t, t = end - SECONDS * (1 - e.offsetX / cv.clientWidth) + config.window_s / 2;
    let best = 0;
    held.rows.forEach((r, i) => { if (Math.abs(r.t - t) < Math.abs(held.rows[best].t - t)) best = i; });
    mark_(best);
  };
  const showFiled = (m) => {
    clearTimeout(ui.filed);
    const undo = m.undo && button("Undo", { pic: "undo", kind: "quiet", "aria-label": "Undo the correction", onclick: () => { model.send({ k: "unwrong", undo: m.undo }); wrong.focus(); } });
    fill(filed, h("div.tk-note.tk-ok", { role: "status" }, h("span", { style: "color:var(--tk-ok)" }, icon("ok")), h("div", {}, h("b", {}, m.text)), undo));
    const end = () => { if (filed.contains(document.activeElement) || filed.matches(":hover")) ui.filed = setTimeout(end, 2000); else fill(filed); };
    ui.filed = setTimeout(end, 12000);
  };
  const digits = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((d) => [String(d), () => held ? (question.choose(d - 1), true) : false]));
  keys(ui.root, { W: () => ask(), F: () => falseTrigger(), Escape: () => held ? (ask(true), true) : false, ArrowLeft: move(-1), ArrowRight: move(1), ...digits });

  const sinceOf = (list) => { // how long the newest decision has stood
    const last = list[list.length - 1];
    let i = list.length - 1;
    while (i > 0 && list[i - 1].decision === last.decision && list[i - 1].number === list[i].number - 1) i--;
    const stood = last.t - list[i].t;
    return stood < 0.05 ? "just now" : i === 0 && stood > SECONDS - 1 ? `for more than ${Math.floor(stood)} s` : `for ${stood.toFixed(1)} s`;
  };
  const draw = (frame, forced) => {
    colours = colours || theme(ui.root);
    const now = shown();
    if (labels.join("\n") !== past.labels.join("\n")) build();
    setText(heading, held ? "last 10 s, held" : `last ${SECONDS} s`);
    setText(nowHead, `${held ? "held" : stale ? "last known" : "now"}, smoothed probability`);
    grid.classList.toggle("stale", stale && !held);
    const list = now.rows;
    if (!labels.length || !list.length) { if (labels.length) drawHistory(cv, colours, list, labels, config, { background: past.background, levelOf, each: each(), rowHeight: grid.rowHeight, colourOf, stale, now: "now" }); return; }
    const silent = stale && !held, still = held || silent, newest = list[list.length - 1].t;
    const end = still ? newest : Math.max(newest, Math.min(newest + 1.5 * (config.hop_s || 0.25), frame / 1000 - past.lag));
    const picture = () => drawHistory(cv, colours, list, labels, config, { background: past.background, levelOf, each: each(), rowHeight: grid.rowHeight, colourOf, stale: silent, end, mark: held && chosen(), now: held ? "held" : silent ? clock(past.arrived) : "now" });
    if (!forced) { picture(); return !still; } // between two answers only time moves
    const last = chosen(), decision = last.decision;
    const best = last.p.indexOf(Math.max(...last.p)), value = (j) => last.p[j] / 255;
    rows.forEach((r, j) => {
      const v = value(j), on = decision === j;
      r.bar.style.width = `${100 * v}%`;
      r.meter.setAttribute("aria-valuenow", v.toFixed(2));
      setText(r.value, v.toFixed(2));
      r.value.className = `pv num ${on ? "on" : "mut"}`;
      r.label.className = on ? "lb on" : "lb";
      setText(r.times, r.background ? "" : String(past.tally.each[labels[j]] || 0));
    });
    const text = silent ? "no answers" : decision >= 0 ? labels[decision] : "unsure";
    setText(word, text);
    word.className = decision < 0 || silent ? "w un" : "w";
    swatch.className = decision < 0 || silent ? "hollow" : "";
    swatch.style.background = decision < 0 || silent ? "" : `var(--tk-${labels.length <= 8 ? colourOf(decision) : "c1"})`;
    const since = held ? (newest - last.t < 0.05 ? "held" : `held, ${(newest - last.t).toFixed(1)} s before`) : sinceOf(list);
    setText(under, silent ? `since ${clock(past.arrived)}; the last was ${decision >= 0 ? labels[decision] : "unsure"}`
      : decision >= 0 ? `${since} · probability ${value(decision).toFixed(2)}` : `${since}, best is ${labels[best]} at ${value(best).toFixed(2)}, below ${levelOf(best).toFixed(2)}`);
    say(text);
    picture();
    describe(() => historyWords(list, labels));
    facts(now);
    return !still;
  };
  const facts = (now) => {
    const lost = lastStatus()?.lost || 0;
    fill(ui.facts, `window ${config.window_s.toFixed(1)} s`, now.cost ? ` · ${now.cost.ms.toFixed(1)} ms ` : "",
      now.cost ? now.cost.estimated ? ["on the board, ", h("span.tk-est", { title: "cycles counted on the emulated board by the Cortex-M4's table, at 64 MHz; not timed on a board" }, "estimated")] : "from the last sample to the answer" : "",
      config.hop_s ? ` · a new answer every ${config.hop_s.toFixed(2)} s` : "", lost ? [" · ", h("b", {}, `${commas(lost)} answers lost`)] : "");
    setText(tally, config.sound ? `${past.tally.decisions} announced · ${past.tally.wrong} marked wrong` : `${past.tally.decisions} decisions · ${past.tally.wrong} marked wrong · ${past.tally.unsure} unsure`);
  };
  const touch = drawLoop(ui.root, draw);
  touch.themeChanged = () => { colours = null; };

  const showStatus = (s) => { if (s) { ui.setLink(s.link.kind, s.link.text, s.link.picture); if (!ui.failed || s.note) ui.setNote(s.note); } };
  const watch = setInterval(() => {
    const was = stale;
    stale = past.arrived > 0 && Date.now() - past.arrived > Math.max(2000, 3000 * (config.hop_s || 0.5));
    if (stale !== was || (!held && past.rows.length && !stale)) touch();
    noteSilence(ui, lastStatus());
  }, 500);
  if (past.labels.length) build();
  showDetected();
  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); clearTimeout(ruleTimer); clearTimeout(ui.filed); clearTimeout(ui.failed); player?.close(); touch.stop(); },
    message: (m) => {
      if (m.k === "answers" && !held) touch();
      if (m.k === "status") { showStatus(m); facts(shown()); }
      if (m.k === "rule" && Date.now() - dragging > 500) takeRule(m);
      if (m.k === "config") {
        config = m.config;
        if (held && (m.anew || labels.join("\n") !== config.labels.join("\n"))) { held = null; fill(question); wrong.setAttribute("aria-expanded", "false"); }
        takeRule(config); build(); showDetected();
      }
      if (m.k === "detected") showDetected();
      if (m.k === "heard" && m.number === playing) player.play(m.counts, m.rate, () => { playing = null; });
      if (m.k === "filed") { past.tally = m.tally; showFiled(m); facts(shown()); }
      if (m.k === "error") { clearTimeout(ui.failed); ui.setNote({ kind: "bad", what: m.what, next: m.next }); ui.failed = setTimeout(() => { ui.failed = 0; }, 10000); }
    },
  };
}

function historyWords(list, labels) {
  const words = [];
  for (const r of list) { const w = r.decision < 0 ? "unsure" : labels[r.decision]; if (words[words.length - 1] !== w) words.push(w); }
  return `Decisions in the last ${SECONDS} seconds: ${words.join(", ")}.`;
}

/** Lanes of probability, then the strip of decisions. A missing number is a gap, hatched. */
function drawHistory(cv, t, list, labels, config, o) {
  if (!cv.clientWidth) return; // not shown on a phone
  const rh = o.rowHeight, n = labels.length, H = rh * n + 28 + 18;
  const { g, w } = canvasOf(cv, H);
  const end = o.end ?? 0, hop = config.hop_s || 0.25;
  const X = (s) => w * (1 - (end - s) / SECONDS);
  for (let s = 0; s <= SECONDS; s += w < 280 ? 5 : 2) {
    const x = Math.min(w - 0.5, Math.max(0.5, crisp(w - w * s / SECONDS)));
    rule(g, t.line, x, 0, x, rh * n + 26);
    write(g, t, s ? `\u2212${s} s` : o.now, s === SECONDS ? 0 : s ? x : w, H - 8, { align: s === SECONDS ? "left" : s ? "center" : "right" });
  }
  const gaps = [];
  for (let i = 1; i < list.length; i++) if (list[i].number !== list[i - 1].number + 1) gaps.push(i);
  const parts = [];
  let from = 0;
  for (const i of [...gaps, list.length]) { if (i > from) parts.push(list.slice(from, i)); from = i; }
  labels.forEach((_, j) => {
    const b = rh * j + rh - 3, height = rh - 6, Y = (v) => b - v / 255 * height, colour = t[o.colourOf(j)];
    rule(g, t.line, 0, crisp(b), w, crisp(b));
    g.globalAlpha = 0.7; if (!o.each || !o.background.includes(j)) rule(g, t["ink-2"], 0, crisp(b - o.levelOf(j) * height), w, crisp(b - o.levelOf(j) * height), [2, 4]); g.globalAlpha = 1;
    for (const part of parts) {
      g.beginPath(); g.moveTo(X(part[0].t), b);
      for (const r of part) g.lineTo(X(r.t), Y(r.p[j]));
      const stop = part[part.length - 1], until = stop === list[list.length - 1] ? w : X(stop.t); // what was said last holds until the next answer
      g.lineTo(until, Y(stop.p[j])); g.lineTo(until, b); g.closePath();
      g.globalAlpha = o.stale ? 0.12 : 0.28; g.fillStyle = colour; g.fill(); g.globalAlpha = o.stale ? 0.4 : 1;
      g.beginPath();
      part.forEach((r, i) => i ? g.lineTo(X(r.t), Y(r.p[j])) : g.moveTo(X(r.t), Y(r.p[j])));
      g.lineTo(until, Y(stop.p[j]));
      g.strokeStyle = colour; g.lineWidth = 1.5; g.stroke(); g.globalAlpha = 1;
    }
  });
  for (const i of gaps) { const a = X(list[i - 1].t), b = X(list[i].t); hatch(g, a, 0, b - a, rh * n + 26, t.edge); }
  if (o.mark) { // the window behind the chosen answer
    const a = X(o.mark.t - config.window_s), b = X(o.mark.t);
    g.globalAlpha = 0.09; g.fillStyle = t.ink; g.fillRect(a, 0, b - a, rh * n + 26); g.globalAlpha = 1;
    g.fillStyle = t.accent; g.fillRect(a, 0, 2, rh * n + 26); g.fillRect(b - 2, 0, 2, rh * n + 26);
  }
  const y = rh * n + 4, height = 20, words = [];
  for (let i = 0; i < list.length;) {
    let e = i;
    while (e + 1 < list.length && list[e + 1].decision === list[i].decision && list[e + 1].number === list[e].number + 1) e++;
    const x = Math.max(0, X(list[i].t)), x1 = e + 1 < list.length && list[e + 1].number === list[e].number + 1 ? X(list[e + 1].t) : e === list.length - 1 ? w : X(list[e].t + hop), ww = Math.max(2, x1 - x);
    const d = list[i].decision;
    if (x1 <= 0) { i = e + 1; continue; }
    if (d < 0) {
      rule(g, t.edge, x + 2, crisp(y + height / 2), x + ww - 2, crisp(y + height / 2), [2, 3]);
      if (ww > 70) words.push(["unsure", x + ww / 2 - 20, ww / 2 + 20]);
    } else if (o.background.includes(d)) { g.fillStyle = t.edge; g.fillRect(x + 1, y + height / 2 - 1, Math.max(2, ww - 2), 3); }
    else {
      g.fillStyle = t.track; g.fillRect(x + 1, y, Math.max(2, ww - 2), height);
      g.fillStyle = t[labels.length <= 8 ? o.colourOf(d) : "c1"]; g.fillRect(x + 1, y, 3, height);
      // The word may run into what says nothing, up to the next real decision.
      let k = e + 1;
      while (k < list.length && (list[k].decision < 0 || o.background.includes(list[k].decision))) k++;
      words.push([labels[d], x + 8, (k < list.length ? X(list[k].t) : w) - x - 10]);
    }
    i = e + 1;
  }
  g.font = `12px ${t.font}`;
  let free = -Infinity; // up to where the last word reaches: "unsure" gives way to it
  for (const [text, x, room] of words) {
    const width = g.measureText(text).width;
    if (width > room || x < free) continue;
    write(g, t, text, x, y + height / 2 + 0.5, { size: 12, fill: t.ink, halo: t.plot });
    free = x + width + 8;
  }
}
