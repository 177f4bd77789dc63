// False alarms against missed words, with sliders. After `core.js`.

export default () => widgetOf(() => {
  let latest = null;
  return {
    take(m) { if (m.k === "curve") latest = m; },
    view: (model, lastStatus) => curveView(model, latest, lastStatus),
  };
});

function curveView(model, latest, lastStatus) {
  const config = model.get("config");
  const ui = frame("Detection curve", model.get("head"));
  const cv = h("canvas", { role: "img", "aria-label": "Words missed over false alarms per hour." });
  const verdict = h("p.tk-verdict", { role: "status", style: "padding:10px 16px 8px" }), grid = h("div.tk-points", {});
  const warn = h("div", {}), inForce = h("span", {});
  ui.body.append(verdict, warn, h("div.tk-plot", {}, cv), grid);
  ui.controls.append(inForce);
  ui.controls.classList.add("s", "mut");
  fill(warn, config.warnings.map((w) => h("div.tk-note.tk-warn", { role: "status" }, h("span", { style: "color:var(--tk-warn)" }, icon("warn")), h("div", {}, w))));
  setText(ui.facts, "what is chosen here has to be reported on another recording");
  if (!config.live) ui.setLink("none", "no board: nothing but this picture follows", "none");

  let data = null, at = [], smoothing = 1, suppression = 0, rows = null, colours = null, timer = 0, dragging = 0;
  const describe = describer(cv);
  const nearest = (v) => data.levels.reduce((best, t, k) => Math.abs(t - v) < Math.abs(data.levels[best] - v) ? k : best, 0);
  const sum = (list, f) => list.reduce((a, _, i) => a + f(i), 0);
  const point = () => { const found = sum(at, (w) => data.found[w][at[w]]), bad = sum(at, (w) => data.false[w][at[w]]), said = sum(data.said, (w) => data.said[w]); return { found, bad, said, perHour: bad * 3600 / data.seconds, missed: said ? 1 - found / said : 0 }; };
  const send = () => { dragging = Date.now(); clearTimeout(timer); timer = setTimeout(() => model.send({ k: "rule", thresholds: Object.fromEntries(config.words.map((w, i) => [w, data.levels[at[i]]])), smoothing, suppression_s: suppression }), 120); };

  const row = (name, attrs, value, show, onmove, cls) => {
    const out = h("span.num", {}), e = h("span.num.s.mut.e", {});
    const input = h("input", { type: "range", "aria-label": name, ...attrs, value, oninput: () => { onmove(+input.value); repaint(); send(); } });
    const paint = (v) => { input.value = v; input.style.setProperty("--p", `${100 * (v - attrs.min) / (attrs.max - attrs.min || 1)}%`); setText(out, show(v)); input.setAttribute("aria-valuetext", show(v) + (e.textContent ? `, ${e.textContent}` : "")); };
    return { cells: [h(`span${cls || ""}`, {}, name), input, out, e], paint, e };
  };
  const build = () => {
    const level = { min: 0, max: data.levels.length - 1, step: 1 }, show = (k) => data.levels[k].toFixed(3).replace(/0$/, "");
    rows = {
      all: row("all words", level, 0, show, (k) => { at = at.map(() => k); }, ".all"),
      words: config.words.map((w, i) => row(w, level, 0, show, (k) => { at[i] = k; })),
      smoothing: row("smoothing", { min: 1, max: 8, step: 1 }, smoothing, (v) => v === 1 ? "1 answer" : `${v} answers`, (v) => { smoothing = v; }),
      suppression: row("pause after a word", { min: 0, max: 3, step: 0.1 }, suppression, (v) => `${(+v).toFixed(1)} s`, (v) => { suppression = v; }),
    };
    fill(grid, rows.all.cells, h("hr"), rows.words.flatMap((r) => r.cells), config.again ? [h("hr"), ...rows.smoothing.cells, ...rows.suppression.cells] : "");
  };
  const repaint = () => {
    const p = point(), share = p.said ? `${(100 * p.found / p.said).toFixed(p.said < 500 ? 0 : 1)} %` : "";
    rows.words.forEach((r, i) => { setText(r.e, `${data.found[i][at[i]]} of ${data.said[i]} found, ${data.false[i][at[i]]} false`); r.paint(at[i]); });
    setText(rows.all.e, at.every((k) => k === at[0]) ? "" : "they differ; moving this sets them all");
    rows.all.paint(Math.round(sum(at, (i) => at[i]) / at.length));
    rows.smoothing.paint(smoothing); rows.suppression.paint(suppression);
    fill(verdict, h("b", {}, `${p.found} of ${p.said} words found`), share ? ` (${share}), ` : ", ", h("b", {}, `${p.bad} false alarm${p.bad === 1 ? "" : "s"}`), ` in ${ago(data.seconds)}: ${p.perHour.toFixed(1)} per hour.`);
    touch();
  };
  const show = (m) => {
    if (!m) return;
    const first = !data;
    data = m;
    if (first || Date.now() - dragging > 800) { at = m.thresholds.map(nearest); smoothing = m.smoothing; suppression = m.suppression_s; }
    if (first) build();
    repaint();
  };
  const touch = drawLoop(ui.root, () => {
    colours = colours || theme(ui.root);
    if (!data) return;
    const p = point();
    drawCurve(cv, colours, data, p, config.words);
    describe(() => `Words missed over false alarms per hour. The point: ${(100 * p.missed).toFixed(1)} percent missed at ${p.perHour.toFixed(1)} false alarms per hour.`);
  });
  touch.themeChanged = () => { colours = null; };
  keys(ui.root, {});
  const showStatus = (s) => { if (s) { ui.setLink(s.link.kind, s.link.text, s.link.picture); ui.setNote(s.note); } };
  const watch = setInterval(() => noteSilence(ui, lastStatus()), 1000);
  show(latest);
  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); clearTimeout(timer); touch.stop(); },
    message: (m) => {
      if (m.k === "curve") show(m);
      if (m.k === "status") showStatus(m);
      if (m.k === "rule") setText(inForce, m.text);
      if (m.k === "error") ui.setNote({ kind: "bad", what: m.what, next: m.next });
    },
  };
}

/** Where words beside a point cross no line, nor the heading: [left of it, height]. */
const beside = (x, y, width, { x0, x1, top, bottom }, line) => {
  const heading = [[x0, top - 14], [x0 + 95, top - 14]], usual = x > x0 + 0.55 * (x1 - x0);
  const pieces = [heading, [[x0, top], [x1, top]], ...line.slice(1).map((q, i) => [line[i], q])];
  for (const left of [usual, !usual]) for (const down of [y - 14, y + 14]) {
    const a = left ? x - 11 - width : x + 11, b = a + width;
    const crossed = pieces.some(([p, q]) => {
      if (Math.max(p[0], a) > Math.min(q[0], b)) return false;
      const at = q[0] > p[0] ? [a, b].map((v) => p[1] + (q[1] - p[1]) * (Math.min(Math.max(v, p[0]), q[0]) - p[0]) / (q[0] - p[0])) : [p[1], q[1]];
      return Math.min(...at) <= down + 9 && Math.max(...at) >= down - 9;
    });
    if (a >= x0 && b <= x1 && down + 8 <= bottom && !crossed) return [left, down];
  }
  return [usual, y - 14];
};

/** As look/curve.py draws it: steps of false alarms get closer to the right, few missed is up. */
function drawCurve(cv, t, data, p, words) {
  const { g, w, h: H } = canvasOf(cv, 270), x0 = 58, x1 = w - 16, top = 30, bottom = H - 46;
  const one = 3600 / data.seconds, levels = data.levels.map((_, k) => k), total = (rows, k) => rows.reduce((a, r) => a + r[k], 0), said = data.said.reduce((a, b) => a + b, 0) || 1;
  const all = levels.map((k) => [total(data.false, k) * one, 1 - total(data.found, k) / said]);
  const right = Math.min(Math.max(one, p.perHour, ...all.map((a) => a[0])), Math.max(60 * one, 4 * p.perHour));
  const worst = Math.max(0.05, p.missed, ...all.filter((a) => a[0] <= right).map((a) => a[1])), high = [0.1, 0.2, 0.5, 1].find((v) => worst <= v) || 1;
  const X = (r) => x0 + (x1 - x0) * Math.log1p(Math.max(0, r) / one) / Math.log1p(right / one), Y = (m) => top + Math.min(1, m / high) * (bottom - top);
  write(g, t, "words missed", x0, top - 14, { size: 12, bold: true, fill: t.ink });
  for (let k = 0; k <= 5; k++) { const y = crisp(top + k * (bottom - top) / 5); rule(g, k ? t.line : t.edge, x0, y, x1, y); write(g, t, `${Math.round(100 * high * k / 5)} %`, x0 - 7, y, { align: "right" }); }
  let free = -1e9;
  for (const tick of [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]) {
    const x = X(tick);
    if (tick > right || x - free < 40) continue;
    free = x;
    rule(g, t.line, crisp(x), top, crisp(x), bottom);
    write(g, t, commas(tick), x, bottom + 13, { align: x - x0 < 2 ? "left" : x > x1 - 12 ? "right" : "center" });
  }
  write(g, t, "false alarms per hour", x1, bottom + 32, { size: 12, bold: true, fill: t.ink, align: "right" });
  g.save(); g.beginPath(); g.rect(x0, top - 2, x1 - x0, bottom - top + 4); g.clip();
  g.strokeStyle = t.ink; g.lineWidth = 1.5; g.lineJoin = "round"; g.beginPath();
  const line = all.filter((a) => a[0] <= right).map(([r, m]) => [X(r), Y(m)]);
  line.forEach(([a, b], i) => i ? g.lineTo(a, b) : g.moveTo(a, b));
  g.stroke(); g.restore();
  const x = X(p.perHour), y = Y(p.missed), told = `${p.found} of ${p.said} found, ${p.bad} false`;
  g.font = `12px ${t.font}`;
  const [left, down] = beside(x, y, g.measureText(told).width, { x0, x1, top, bottom }, line);
  g.beginPath(); g.arc(x, y, 6.5, 0, 7); g.fillStyle = t.plot; g.fill();
  g.beginPath(); g.arc(x, y, 5, 0, 7); g.fillStyle = t.accent; g.fill();
  write(g, t, told, x + (left ? -11 : 11), down, { size: 12, fill: t.ink, align: left ? "right" : "left", halo: t.plot });
  write(g, t, words.length > 1 ? "line: one threshold for all words; point: as the sliders stand" : "", x0, bottom + 32);
}
