// What both scopes have in common: pause, zoom in time and range, pan while paused, keep, what the foot
// says. After `core.js` and `glide.js`.

/** A scope's view.
 *
 *  o: {title, head, canvas words, live: {ring, glide, copy()}, spans, ranges: [{label, unit, choices}], tools: [elements],
 *  body: [elements], edges(w), draw(cv, colours, s, moved), words(s), end(s), facts(status)}; `draw` is given the state:
 *  {ring, end, seconds, back, limits, stale, held, now, theme}, and returns false if it had nothing to draw anew. */
const scopeView = (model, lastStatus, o) => {
  const config = model.get("config"), ui = frame(o.title, o.head);
  const cv = h("canvas", { role: "img", "aria-label": `${o.what}, waiting for the first samples.` });
  const plot = h("div.tk-plot", { tabindex: -1 }, cv);
  const describe = describer(cv), { rate_hz: rate, spans } = config;
  const s = { live: o.live, held: null, seconds: config.seconds, back: 0, limits: config.limits.slice(), stale: false, theme: 0 };
  const error = lasting();
  let colours = null, kept = "", shown = "", take = config.keeps[config.keeps.length - 1];
  ui.body.append(plot, ...(o.body || []));

  // -- time: zoom, and pan while paused
  const data = () => s.held || s.live;
  const slack = () => Math.max(0, (o.end(data(), null) - data().first) / rate - s.seconds);
  const move = (seconds) => { s.back = s.held ? Math.min(slack(), Math.max(0, s.back + seconds)) : 0; touch(); };
  /** A step out (1) or in (-1); `about`: what stays where it is, as a share from the right edge. */
  const zoom = (step, about = 0.5) => {
    const at = spans.indexOf(s.seconds) + step;
    if (!spans[at]) return;
    const fixed = s.back + about * s.seconds;
    s.seconds = spans[at];
    s.back = fixed - about * s.seconds;
    name();
    move(0);
  };
  const spanOf = (v) => v < 1 ? `${1000 * v} ms` : `${v} s`;
  const step = (words, pic, act) => h("button.tk-btn.ico", { type: "button", title: words, "aria-label": words, onclick: act }, pic);
  const arrow = (mirrored) => { const i = icon("next"); if (mirrored) i.style.transform = "scaleX(-1)"; return i; };
  const more = step("Show more time", "\u2212", () => zoom(1)), less = step("Show less time", "+", () => zoom(-1));
  const span = h("span.num", { style: "min-width:44px;text-align:center" });
  const earlier = step("Earlier", arrow(true), () => move(s.seconds / 4)), later = step("Later", arrow(false), () => move(-s.seconds / 4));
  const name = () => {
    setText(span, spanOf(s.seconds));
    more.disabled = s.seconds === spans[spans.length - 1]; less.disabled = s.seconds === spans[0];
    more.setAttribute("aria-label", `Show more time than ${spanOf(s.seconds)}`); less.setAttribute("aria-label", `Show less time than ${spanOf(s.seconds)}`);
  };
  const time = h("span.tk-step", { role: "group", "aria-label": "Time shown" }, earlier, more, span, less, later);

  // -- range: one choice a plot, over it
  const ranges = o.ranges.map((r, i) => {
    const words = (v) => `\u00b1${v}${r.unit ? " " + r.unit : ""}`;
    const el = h("select.tk-range", { "aria-label": r.label, onchange: () => { s.limits[i] = +el.value; touch(); } },
      [...new Set([...r.choices, s.limits[i]])].sort((a, b) => a - b).map((v) => h("option", { value: v, selected: v === s.limits[i] }, words(v))));
    el.wider = (by) => { const k = el.selectedIndex + by; if (el.options[k]) { el.selectedIndex = k; s.limits[i] = +el.value; touch(); } };
    return el;
  });
  plot.append(...ranges);
  const reach = (by) => ranges.forEach((el) => el.wider(by));

  // -- pause and keep
  const pause = button("Pause", { pic: "pause", key: "P", onclick: () => toggle() });
  const toggle = () => {
    s.held = s.held ? null : s.live.copy();
    s.back = 0;
    pause.className = s.held ? "tk-btn pri" : "tk-btn";
    fill(pause, icon(s.held ? "play" : "pause"), h("span.t", {}, s.held ? "Resume" : "Pause"), h("kbd", {}, "P"));
    earlier.hidden = later.hidden = !s.held;
    cv.style.cursor = s.held ? "grab" : ""; cv.style.touchAction = s.held ? "pan-y" : "";
    if (!s.held) s.stale = false;
    touch();
  };
  const keep = button(`Keep last ${take} s`, { pic: "keep", key: "K", onclick: () => doKeep() });
  const length = config.keeps.length > 1 && h("select", { "aria-label": "How much to keep", onchange: () => { take = +length.value; setText(keep.querySelector(".t"), `Keep last ${take} s`); } },
    config.keeps.map((v) => h("option", { value: v, selected: v === take }, `${v} s`)));
  const list = `tk-labels-${Math.random().toString(36).slice(2)}`;
  const label = config.labels && h("input", { type: "text", "aria-label": "Label of the take", list, value: config.labels[0] || "", placeholder: "label", maxlength: 40, size: 9,
    onkeydown: (e) => { if (e.key === "Enter") { doKeep(); e.stopPropagation(); } } });
  const names = label && h("datalist", { id: list }, config.labels.map((v) => h("option", { value: v })));
  const doKeep = () => {
    const end = o.end(data(), s);
    if (end >= 0) model.send({ k: "keep", last: Math.floor(end), seconds: take, label: label ? label.value.trim() : "" });
  };
  ui.controls.append(...(o.tools?.(() => touch()) || []), time, pause, h("span.tk-take-as", {}, length, keep, label && h("label.s", {}, "as", label), names));
  earlier.hidden = later.hidden = true;
  name();

  const held = (act) => (e) => s.held && !/radio/.test(e.target.getAttribute("role") || "") ? act(e) : false;
  keys(ui.root, {
    P: () => toggle(), K: () => doKeep(), "-": () => zoom(1), "+": () => zoom(-1), "=": () => zoom(-1),
    ArrowUp: () => reach(-1), ArrowDown: () => reach(1),
    ArrowLeft: held(() => move(s.seconds / 8)), ArrowRight: held(() => move(-s.seconds / 8)),
    Home: held(() => move(1e9)), End: held(() => move(-1e9)),
  });
  // A wheel alone scrolls the notebook. Ctrl (or a pinch) zooms in time, Alt in range; sideways pans what is paused.
  let turned = 0;
  cv.addEventListener("wheel", (e) => {
    const box = cv.getBoundingClientRect(), [x0, x1] = o.edges(cv.clientWidth), sideways = e.deltaX || (e.shiftKey ? e.deltaY : 0);
    if (e.ctrlKey || e.metaKey || e.altKey) {
      turned += e.deltaY * (e.deltaMode ? 20 : 1); // lines or pixels
      const by = Math.sign(turned);
      if (Math.abs(turned) > 40) { turned = 0; if (e.altKey) reach(by); else zoom(by, Math.min(1, Math.max(0, (x1 - (e.clientX - box.left)) / (x1 - x0)))); }
    } else if (sideways && s.held) move(-sideways / (x1 - x0) * s.seconds);
    else return;
    e.preventDefault();
  }, { passive: false });
  let drag = null;
  cv.addEventListener("pointerdown", (e) => {
    plot.focus({ preventScroll: true }); // so that the keys act
    if (!s.held || e.button) return;
    drag = e.clientX; cv.setPointerCapture(e.pointerId); cv.style.cursor = "grabbing";
  });
  cv.addEventListener("pointermove", (e) => {
    if (drag === null) return;
    const [x0, x1] = o.edges(cv.clientWidth);
    move((e.clientX - drag) / (x1 - x0) * s.seconds);
    drag = e.clientX;
  });
  for (const over of ["pointerup", "pointercancel"]) cv.addEventListener(over, () => { drag = null; cv.style.cursor = s.held ? "grab" : ""; });

  // -- drawing
  const touch = drawLoop(ui.root, (now, forced) => {
    if (!colours) { colours = theme(ui.root); s.theme++; }
    const from = data(), running = !s.held && !s.stale && from.arrived > 0;
    if (running) from.glide.at(now);
    const state = { ...s, data: from, end: o.end(from, s), now: s.held ? "paused" : s.stale ? clock(from.arrived) : "now" };
    const moved = o.draw(cv, colours, state, forced, (i, x, y) => { const r = ranges[i]; r.style.right = `${cv.clientWidth - x}px`; r.style.top = `${y}px`; });
    if (moved) describe(() => o.words(state));
    return running ? moved : undefined;
  });
  touch.themeChanged = () => { colours = null; };

  // -- what the head and the foot say
  const showStatus = (m) => {
    if (!m) return;
    ui.setLink(m.link.kind, m.link.text, m.link.picture);
    ui.setNote(m.settling ? { kind: "none", what: "What a microphone gives right after its start is no sound yet; the board throws it away." } : m.note || error.get());
    const f = m.facts, { glide } = s.live, late = glide.behind, pace = glide.seen.length > 100 && f.rate_hz ? glide.rate * 1000 / f.rate_hz : 1;
    const facts = m.settling ? ["nothing to count yet"] : [
      f.silent_s > 1.5 ? `no data for ${ago(f.silent_s)} · ` : f.rate_hz ? `${o.rate(f.rate_hz)} Hz · ` : "",
      f.jitter_ms !== undefined && f.rate_hz && f.silent_s <= 1.5 ? `jitter ${f.jitter_ms.toFixed(1)} ms · ` : "",
      f.lost ? h("b", {}, `${commas(f.lost)} lost`) : "0 lost", ` of ${commas(f.lost + f.received)} in ${ago(f.seconds)}`,
      f.lost ? ` (${(100 * f.lost / (f.lost + f.received)).toFixed(1)} %${f.guessed ? `, ${f.guessed}` : ""})` : "",
      // The rate is by the board's clock; a virtual one on a busy computer has a slow clock.
      pace < 0.93 && o.head.virtual && !s.stale ? ` · this computer is busy, the virtual board runs at ${Math.round(100 * pace)} % of its pace` : "",
      !s.held && !s.stale && late > 500 ? ` · the picture is ${(late / 1000).toFixed(1)} s behind` : ""];
    const said = facts.map((x) => x.textContent ?? x).join("") + kept;
    if (said !== shown) { shown = said; fill(ui.facts, facts, kept); }
  };
  const watch = setInterval(() => {
    const was = s.stale;
    s.stale = !s.held && s.live.arrived > 0 && Date.now() - s.live.arrived > 1500;
    if (s.stale !== was) touch();
    noteSilence(ui, lastStatus());
  }, 500);

  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); touch.stop(); },
    message: (m) => {
      if (m.k === "samples" && !s.held) { if (s.stale) { s.stale = false; touch(); } else touch.go(); }
      if (m.k === "status") showStatus(m);
      if (m.k === "labels" && names) fill(names, m.labels.map((v) => h("option", { value: v })));
      if (m.k === "kept") { error.drop(); kept = ` · ${m.text}`; showStatus(lastStatus()); }
      if (m.k === "error") { error.set({ kind: "bad", what: m.what, next: m.next }); ui.setNote(error.get()); }
    },
  };
};
