// The signal pad: tabs for a drawn path, this device's own sensors, its microphone, and a replay; below them
// what the board feels. After `core.js`, `sound.js`, `capture.js`, `strokes.js`, `device.js`.

const AXES = ["x", "y", "z"];
const FELT = [
  { name: "acceleration", unit: "g", digits: 2, from: 0, most: 3 },
  { name: "rotation", unit: "deg/s", digits: 0, from: 3, most: 300 },
];

export default () => widgetOf((model) => {
  const config = model.get("config"), felt = new SampleRing(Math.ceil(config.rate_hz * config.seconds * 2), 6);
  return {
    take(m, buffers) { if (m.k === "felt") felt.take(m, buffers[0]); },
    view: (model, lastStatus) => padView(model, felt, lastStatus),
  };
});

function padView(model, felt, lastStatus) {
  const config = model.get("config"), ui = frame("Signal pad", model.get("head"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const cv = h("canvas", { role: "img", "aria-label": "What the board feels, nothing yet." }), describe = describer(cv);
  let colours = null, problem = null, saidMs = 0, doneMs = 0, lateAt = 0;
  const behind = () => Math.max(0, saidMs - doneMs) / 1000; // what was sent and has not come to the kernel, in seconds
  const sent = (ms) => { saidMs = ms; };
  const touch = () => loop();
  const say = (note) => { problem = note; showStatus(lastStatus()); };

  const tabs = { draw: drawTab(model, config, touch, sent, behind), device: deviceTab(model, config, say, sent, behind), speak: speakTab(model, config, ui, say, touch), replay: replayTab(model, config) };
  let tab = config.show;
  const how = h("span.tk-est", { tabindex: "0", title: `From the pointer's path, made smooth over 0.03 s and differentiated twice, with gravity; the pad is ${Math.round(100 * config.pad_m)} cm high. The wrist turns along as most people's does.` }, "simulated");
  how.hidden = tab !== "draw";
  const choice = segmented("What moves the board", [["draw", "Draw"], ["device", "Move this device"], ["speak", "Speak"], ["replay", "Replay"]], tab, (v) => {
    tabs[tab].leave?.();
    tab = v; problem = null;
    for (const [k, q] of Object.entries(tabs)) q.el.hidden = k !== tab;
    how.hidden = tab !== "draw"; // a device's own sensors and a take are no guess
    showStatus(lastStatus());
    touch();
  });
  for (const [k, q] of Object.entries(tabs)) q.el.hidden = k !== tab;
  ui.body.append(h("div.tk-tools", {}, choice.el), ...Object.values(tabs).map((q) => q.el),
    h("div.tk-felt", {}, h("h4", {}, "What the board feels"), how), h("div.tk-plot", {}, cv));
  const halt = button("Lie still", { pic: "stop", key: "Esc", onclick: () => stop() });
  const give = button("Let go", { pic: "undo", title: "The board feels again what it felt before the pad.", onclick: () => { tabs[tab].halt?.(); model.send({ k: "give" }); } });
  ui.controls.append(halt, give);
  const stop = () => { tabs[tab].halt?.(); model.send({ k: "halt" }); };
  keys(ui.root, { Escape: stop });

  const loop = drawLoop(ui.root, () => {
    colours = colours || theme(ui.root);
    tabs[tab].draw?.(colours, ui.root);
    drawFelt(cv, colours, felt, config, lastStatus()?.held);
    describe(() => {
      if (!felt.size) return "What the board feels, nothing yet.";
      const v = [0, 1, 2, 3, 4, 5].map((j) => fixed(felt.at(felt.size - 1, j) / config.per_unit[j], j < 3 ? 2 : 0));
      return `What the board feels now: acceleration ${v.slice(0, 3).join(", ")} g, rotation ${v.slice(3).join(", ")} degrees per second.`;
    });
  });
  loop.themeChanged = () => { colours = null; };

  const showStatus = (s) => {
    if (!s) return;
    ui.setLink(s.link.kind, s.link.text, s.link.picture);
    give.disabled = !s.held;
    doneMs = s.page_ms;
    if (behind() < 0.3) lateAt = 0; else lateAt = lateAt || Date.now();
    const busy = lateAt && Date.now() - lateAt > 1500;
    ui.setNote(problem ? { kind: "bad", ...problem } : busy ? { kind: "warn", what: "The notebook's kernel is busy: the board has not felt the last of this yet.", next: "wait for the running cell; what you did is felt afterwards." } : s.note);
    tabs[tab].status?.(s);
    fill(ui.facts, `felt ${config.lead_s.toFixed(1)} s later, at ${config.rate_hz} Hz`,
      s.held_s > 0.05 ? [" · ", h("b", {}, `the hand waited ${s.held_s.toFixed(1)} s`), " for a busy kernel"] : "",
      s.dropped ? [" · ", h("b", {}, `${commas(s.dropped)} ${s.dropped === 1 ? "movement" : "movements"} dropped`)] : "");
  };
  const watch = setInterval(() => { noteSilence(ui, lastStatus()); }, 1000);
  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); for (const q of Object.values(tabs)) q.leave?.(); loop.stop(); },
    message: (m) => {
      if (m.k === "felt") { doneMs = m.page_ms; if (!calm.matches) touch(); }
      if (m.k === "status") { showStatus(m); touch(); }
      if (m.k === "error") ui.setNote({ kind: "bad", what: m.what, next: m.next });
    },
  };
}

// -- tabs --------------------------------------------------------------------------------------

function drawTab(model, config, touch, sent, behind) {
  let plane = "across";
  const says = h("span.s.mut", {}, PLANES[plane].says);
  const pad = strokeSurface({
    pad_m: config.pad_m, height: 280, plane: () => plane, touch, behind,
    onpiece: (piece) => { sent(piece.t[piece.t.length - 1]); model.send({ k: "stroke", plane, ...piece }); },
  });
  const which = segmented("How the hand moves", Object.entries(PLANES).map(([k, p]) => [k, p.name]), plane, (v) => {
    pad.stop(); plane = v; pad.clear(); pad.name(); setText(says, PLANES[v].says); touch();
  });
  return {
    el: h("div", {}, h("div.tk-tools.top", {}, which.el, says), h("div.tk-plot.tk-padbox", {}, pad.el)),
    draw: (t) => pad.draw(t), leave: pad.stop, halt: () => { pad.stop(); pad.clear(); touch(); },
  };
}

function speakTab(model, config, ui, say, touch) {
  const ring = new SoundRing(config.sound_hz, 12), level = levelMeter(config.wanted), facts = h("div.s.mut.tk-tools", {});
  const bar = microphoneBar(model, { ring, onsound: touch, onstate: (state, note) => { say(note || null); touch(); } });
  return {
    el: h("div", {}, bar.el, level.el, facts), draw: () => level.show(ring), leave: bar.stop, halt: bar.stop,
    status: (s) => {
      const late = bar.behind(s.page);
      setText(facts, (bar.state === "on" ? "The board hears what is said here, 0.1 s later." : "The board hears silence until you start.") +
        (s.holes ? ` It heard ${(s.holes / config.sound_hz).toFixed(1)} s of silence in between.` : "") + (late > 1.5 ? ` The kernel is busy, ${late.toFixed(0)} s wait here.` : ""));
    },
  };
}

function replayTab(model, config) {
  const takes = new Map(config.takes);
  const take = h("select", { "aria-label": "Take" });
  const label = h("select", { "aria-label": "Label", onchange: () => list() }, config.takes.map(([k]) => h("option", { value: k }, k)));
  const list = () => fill(take, (takes.get(label.value) || []).map((name, i) => h("option", { value: i }, name)));
  list();
  const go = button("Play it to the board", { pic: "play", kind: "pri", onclick: () => model.send({ k: "replay", label: label.value, take: +take.value }) });
  go.disabled = !config.takes.length;
  return {
    el: h("div.tk-tools.tk-choose", {}, h("label", {}, "Label ", label), h("label", {}, "Take ", take), go,
      h("span.s.mut", {}, config.takes.length ? `from ${config.about}` : "There are no takes: record some, and give them as dataset=.")),
  };
}

// -- pictures ----------------------------------------------------------------------------------

/** The last seconds of what the board felt: two plots on one time axis, as the scope has them. */
function drawFelt(cv, t, ring, config, held) {
  const top = 24, ph = 72, mid = 26, H = top + 2 * ph + mid + 20, { g, w } = canvasOf(cv, H);
  const x0 = 46, x1 = w - 92, last = ring.last, wide = config.rate_hz * config.seconds, X = (i) => x1 - (x1 - x0) * (last - i) / wide;
  FELT.forEach(({ name, unit, digits, from, most }, p) => {
    const y0 = top + p * (ph + mid), Y = (v) => y0 + ph / 2 - Math.max(-most, Math.min(most, v)) / most * ph / 2;
    for (const k of [-most, 0, most]) { const y = crisp(Y(k)); rule(g, k ? t.line : t.edge, x0, y, x1, y); write(g, t, signed(k, 0), x0 - 7, y, { align: "right" }); }
    for (let s = 0; s <= config.seconds; s++) { const x = crisp(x1 - (x1 - x0) * s / config.seconds); rule(g, t.line, x, y0, x, y0 + ph); }
    write(g, t, `${name}, ${unit}`, x0, y0 - 9, { size: 12, fill: t.ink, bold: true });
    if (!ring.size) return;
    const value = (j) => (c) => Y(c / config.per_unit[from + j]);
    g.save(); g.beginPath(); g.rect(x0, y0 - 2, x1 - x0, ph + 4); g.clip();
    if (!held) g.globalAlpha = 0.4;
    AXES.forEach((axis, j) => trace(g, ring, from + j, last - wide, X, value(j), t[axis], 1.5));
    AXES.forEach((axis, j) => {
      const step = Math.round(config.rate_hz), shift = Math.round(j * step / 3);
      for (let k = ring.from(last - wide); k < ring.size; k++) if ((ring.indexAt(k) + shift) % step === 0) mark(g, axis, X(ring.indexAt(k)), value(j)(ring.at(k, from + j)), 3, t[axis], t.plot);
    });
    g.restore();
    if (!held) return;
    endTags(g, t, AXES.map((axis, j) => { const v = ring.at(ring.size - 1, from + j) / config.per_unit[from + j]; return { name: axis.toUpperCase(), axis, text: signed(v, digits), at: Y(v), y: Y(v) }; }), x1, w);
  });
  if (!held) write(g, t, fitting(g, t, x1 - x0, "Not from here: the board feels its own signal until you touch the pad.", "The board's own signal, not this", "not from here"), (x0 + x1) / 2, top + ph / 2 - 14, { size: 12, fill: t.ink, align: "center", halo: t.plot });
  timeTicks(g, t, x0, x1, H - 9, { seconds: config.seconds, back: 0, now: "now" });
}
