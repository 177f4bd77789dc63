// Traces of the IMU as they come. `core.js` stands before this file.

const SECONDS = 8;
const AXES = ["x", "y", "z"];
const UNITS = [
  { name: "acceleration", unit: "g", digits: 2, choices: [1, 2, 4] },
  { name: "rotation", unit: "deg/s", digits: 0, choices: [125, 250, 500, 1000, 2000] },
];

export default () => widgetOf((model) => {
  const config = model.get("config"), ring = new SampleRing(Math.ceil(config.rate_hz * 20), config.channels.length);
  return {
    take(m, buffers) { if (m.k === "samples") ring.take(m, buffers[0]); },
    view: (model, lastStatus) => scopeView(model, ring, lastStatus),
  };
});

function scopeView(model, live, lastStatus) {
  const config = model.get("config");
  const { channels, per_unit: perUnit, rate_hz: rate } = config;
  const ui = frame("Scope", model.get("head"));
  const cv = h("canvas", { role: "img", "aria-label": "Scrolling traces, waiting for the first samples." });
  ui.body.append(h("div.tk-plot", {}, cv));
  const describe = describer(cv);
  let held = null, lanes = config.view === "lanes", stale = false, colours = null, kept = "";
  // Half ranges stay until the student changes them: scaling by itself would hide drift.
  const limits = [config.limits[0], config.limits[1]];

  const modes = segmented("View", [["overlay", "Overlay"], ["lanes", "Lanes"]], lanes ? "lanes" : "overlay", (v) => { lanes = v === "lanes"; touch(); });
  const pause = button("Pause", { pic: "pause", key: "P", onclick: () => toggle() });
  const keep = button("Keep last 5 s", { pic: "keep", key: "K", onclick: () => doKeep() });
  const ranges = h("select", { "aria-label": "Range of the acceleration plot", onchange: () => { limits[0] = +ranges.value; limits[1] = { 1: 125, 2: 250, 4: 2000 }[limits[0]]; touch(); } },
    UNITS[0].choices.map((c) => h("option", { value: c, selected: c === limits[0] }, `±${c} g`)));
  ui.controls.append(ranges, modes.el, pause, keep);

  const toggle = () => {
    held = held ? null : live.copy();
    pause.className = held ? "tk-btn pri" : "tk-btn";
    fill(pause, icon(held ? "play" : "pause"), h("span", {}, held ? "Resume" : "Pause"), h("kbd", {}, "P"));
    touch();
  };
  const doKeep = () => { model.send({ k: "keep", last: (held || live).last }); };
  keys(ui.root, { P: toggle, K: doKeep });

  const touch = drawLoop(ui.root, () => {
    colours = colours || theme(ui.root);
    const ring = held || live;
    (lanes ? drawLanes : drawOverlay)(cv, colours, ring, { channels, perUnit, rate, limits, stale, now: held ? "paused" : stale && ring.arrived ? clock(ring.arrived) : "now" });
    describe(() => words(ring));
  });
  touch.themeChanged = () => { colours = null; };

  const words = (ring) => {
    if (!ring.size) return "Scrolling traces, no samples yet.";
    const values = channels.map((c, j) => `${c} ${fixed(ring.at(ring.size - 1, j) / perUnit[j], c[0] === "a" ? 2 : 0)}`);
    const lost = ring.gaps(ring.last - rate * SECONDS).reduce((a, b) => a + b[1], 0);
    return `Traces of the last ${SECONDS} seconds, ${held ? "paused" : stale ? "stale" : "running"}. Now ${values.join(", ")}. ${lost} samples lost.`;
  };

  const showStatus = (s) => {
    if (!s) return;
    ui.setLink(s.link.kind, s.link.text, s.link.picture);
    ui.setNote(s.note);
    const f = s.facts;
    fill(ui.facts, f.silent_s > 1.5 ? `no data for ${ago(f.silent_s)} · ` : f.rate_hz ? `${f.rate_hz.toFixed(1)} Hz · jitter ${f.jitter_ms.toFixed(1)} ms · ` : "",
      f.lost ? h("b", {}, `${commas(f.lost)} lost`) : "0 lost", ` of ${commas(f.lost + f.received)} in ${ago(f.seconds)}`,
      f.lost ? ` (${(100 * f.lost / (f.lost + f.received)).toFixed(1)} %)` : "", kept);
  };
  const watch = setInterval(() => {
    const was = stale;
    stale = !held && live.arrived > 0 && Date.now() - live.arrived > 1500;
    if (stale !== was) touch();
    noteSilence(ui, lastStatus());
  }, 500);

  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); touch.stop(); },
    message: (m) => {
      if (m.k === "samples" && !held) touch();
      if (m.k === "status") showStatus(m);
      if (m.k === "kept") { kept = ` · ${m.text}`; showStatus(lastStatus()); }
      if (m.k === "error") ui.setNote({ kind: "bad", what: m.what, next: m.next });
    },
  };
}

const plotEdges = (w) => [46, w - 92];

function groupsOf(channels) {
  return UNITS.map((u, i) => ({ ...u, i, columns: channels.map((c, j) => [c, j]).filter(([c]) => c[0] === "ag"[i]) })).filter((u) => u.columns.length);
}

function timeAxis(g, t, x0, x1, y, label) {
  for (let s = 0; s <= SECONDS; s += 2) {
    const x = x1 - (x1 - x0) * s / SECONDS;
    write(g, t, s ? `\u2212${s} s` : label, x, y, { align: s === SECONDS ? "left" : s ? "center" : "right" });
  }
}

function drawGaps(g, t, ring, o, X, y0, y1, x0) {
  const from = ring.last - o.rate * SECONDS;
  let free = -1e9; // labels don't overlap: the next one waits for room
  for (const [first, n] of ring.gaps(from)) {
    const a = Math.max(x0, X(first - 1)), b = X(first + n);
    g.fillStyle = t.plot; g.fillRect(a, y0, b - a, y1 - y0);
    hatch(g, a, y0, b - a, y1 - y0, t.edge);
    g.strokeStyle = t.warn; g.lineWidth = 1.5; g.beginPath(); g.moveTo(a, y0); g.lineTo(a, y1); g.moveTo(b, y0); g.lineTo(b, y1); g.stroke();
    const text = `${n} lost (${(n / o.rate).toFixed(2)} s)`;
    g.font = `600 12px ${t.font}`;
    const half = g.measureText(text).width / 2, x = Math.max(x0 + half, (a + b) / 2);
    if (x - half > free) { write(g, t, text, x, y0 + 8, { size: 12, align: "center", fill: t.ink, bold: true, halo: t.plot }); free = x + half + 8; }
  }
}

function drawOverlay(cv, t, ring, o) {
  const ph = 112, top = 28, mid = 30, groups = groupsOf(o.channels), H = top + groups.length * (ph + mid) - mid + 22;
  const { g, w } = canvasOf(cv, H);
  const [x0, x1] = plotEdges(w), last = ring.last;
  const X = (i) => x1 - (x1 - x0) * (last - i) / (o.rate * SECONDS);
  groups.forEach(({ name, unit, digits, columns, i }, p) => {
    const y0 = top + p * (ph + mid), m = o.limits[i], Y = (v) => y0 + ph / 2 - v / m * ph / 2;
    for (const k of [-m, -m / 2, 0, m / 2, m]) {
      const y = crisp(Y(k));
      g.globalAlpha = k ? 1 : 0.7;
      rule(g, k ? t.line : t.edge, x0, y, x1, y);
      g.globalAlpha = 1;
      if (k === 0 || i === 0 || Math.abs(k) === m) write(g, t, signed(k, k % 1 ? 1 : 0), x0 - 7, y, { align: "right" });
    }
    for (let s = 0; s <= SECONDS; s += 2) { const x = crisp(x1 - (x1 - x0) * s / SECONDS); rule(g, t.line, x, y0, x, y0 + ph); }
    write(g, t, `${name}, ${unit}`, x0, y0 - 9, { size: 12, fill: t.ink, bold: true });
    const value = (j) => (v) => Y(v / o.perUnit[j]);
    g.save();
    if (o.stale) g.globalAlpha = 0.4;
    g.beginPath(); g.rect(x0, y0 - 4, x1 - x0, ph + 8); g.clip();
    for (const [c, j] of columns) trace(g, ring, j, last - o.rate * SECONDS, X, value(j), t[c[1].toLowerCase()], 1.5);
    // Marks sit on samples, staggered by axis, so they scroll with the data.
    if (!o.stale) for (const [c, j] of columns) {
      const axis = c[1].toLowerCase(), step = Math.round(1.5 * o.rate), shift = Math.round(AXES.indexOf(axis) * step / 3);
      for (let k = ring.from(last - o.rate * SECONDS); k < ring.size; k++) {
        if ((ring.indexAt(k) + shift) % step === 0) mark(g, axis, X(ring.indexAt(k)), value(j)(ring.at(k, j)), 3, t[axis], t.plot);
      }
    }
    g.restore();
    if (o.stale || !ring.size) return;
    const tags = columns.map(([c, j]) => { const v = ring.at(ring.size - 1, j) / o.perUnit[j]; return { axis: c[1], v, at: Math.max(y0, Math.min(y0 + ph, Y(v))) }; })
      .map((q) => ({ ...q, y: q.at })).sort((a, b) => a.y - b.y);
    for (let n = 0; n < 9; n++) for (let k = 1; k < tags.length; k++) { const d = 16 - (tags[k].y - tags[k - 1].y); if (d > 0) { tags[k].y += d / 2; tags[k - 1].y -= d / 2; } }
    for (const q of tags) {
      const k = q.axis.toLowerCase();
      rule(g, t[k], x1 + 1, q.at, x1 + 9, q.y);
      mark(g, k, x1 + 14, q.y, 3.4, t[k]);
      write(g, t, q.axis, x1 + 22, q.y, { size: 12, fill: t.ink, bold: true });
      write(g, t, signed(q.v, digits), w - 10, q.y, { size: 12, fill: t.ink, align: "right" });
    }
  });
  drawGaps(g, t, ring, o, X, top, H - 22, x0);
  timeAxis(g, t, x0, x1, H - 11, o.now);
}

function drawLanes(cv, t, ring, o) {
  const lh = 44, gap = 18, top = 30, groups = groupsOf(o.channels);
  const H = top + o.channels.length * (lh + 4) + (groups.length - 1) * gap + 24;
  const { g, w } = canvasOf(cv, H);
  const [x0, x1] = plotEdges(w), last = ring.last;
  const X = (i) => x1 - (x1 - x0) * (last - i) / (o.rate * SECONDS);
  for (let s = 0; s <= SECONDS; s += 2) { const x = crisp(x1 - (x1 - x0) * s / SECONDS); rule(g, t.line, x, top - 4, x, H - 22); }
  let y = top;
  groups.forEach(({ name, unit, digits, columns, i }, p) => {
    if (p) y += gap;
    const m = o.limits[i];
    write(g, t, `${name}, ${unit} (each lane ${signed(-m, 0)} to ${signed(m, 0)})`, x0, y - 11, { size: 12, fill: t.ink, bold: true, halo: t.plot });
    for (const [c, j] of columns) {
      const base = y, Y = (v) => base + lh / 2 - Math.max(-m, Math.min(m, v)) / m * lh / 2, k = c[1].toLowerCase();
      rule(g, t.line, x0, crisp(Y(0)), x1, crisp(Y(0)));
      mark(g, k, 18, Y(0), 3.4, t[k]);
      write(g, t, c[1], 27, Y(0), { size: 12, fill: t.ink, bold: true });
      g.save();
      if (o.stale) g.globalAlpha = 0.4;
      g.beginPath(); g.rect(x0, base - 2, x1 - x0, lh + 4); g.clip();
      trace(g, ring, j, last - o.rate * SECONDS, X, (v) => Y(v / o.perUnit[j]), t[k], 1.5);
      g.restore();
      if (ring.size && !o.stale) write(g, t, `${signed(ring.at(ring.size - 1, j) / o.perUnit[j], digits)} ${unit}`, w - 10, Y(0), { size: 12, fill: t.ink, align: "right" });
      y += lh + 4;
    }
  });
  drawGaps(g, t, ring, o, X, top - 2, H - 22, x0);
  timeAxis(g, t, x0, x1, H - 10, o.now);
}
