// What all widgets share: elements, colours, canvas helpers, the ring of samples, the drawing loop.
//
// anywidget loads one module a widget and resolves no imports, so static.py puts this file before
// the widget's own (and ICONS, the paths of tinykit/look/icons.py, before both). Nothing here touches
// the kernel: messages are the widgets' business.

// -- elements ----------------------------------------------------------------------------------

const icon = (name) => {
  const span = document.createElement("span");
  span.className = "ic";
  span.setAttribute("aria-hidden", "true");
  span.innerHTML =
    '<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" ' +
    `stroke-linejoin="round">${ICONS[name] || ""}</svg>`;
  return span;
};

/** An element: h("button.tk-btn", {onclick, "aria-label": "x"}, children...); text is always text. */
const h = (spec, attrs, ...children) => {
  const [tag, ...classes] = spec.split(".");
  const el = document.createElement(tag || "div");
  if (classes.length) el.className = classes.join(" ");
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === null || v === undefined || (v === false && !k.startsWith("aria-"))) continue;
    if (k.startsWith("aria-")) el.setAttribute(k, v);
    else if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k === "style") el.style.cssText = v;
    else el.setAttribute(k, v === true ? "" : v);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return el;
};

const fill = (el, ...children) => {
  el.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return el;
};

const setText = (el, text) => {
  if (el.textContent !== text) el.textContent = text;
};

/** A word after its shape: kind ok, warn, bad, none, run. */
const state = (kind, text, picture) => h(`span.tk-st.tk-${kind}`, {}, icon(picture || kind), h("span", {}, text));

const button = (label, { pic, key, kind, ...attrs } = {}) =>
  h(`button.tk-btn${kind ? "." + kind : ""}`, { type: "button", ...attrs }, pic && icon(pic), h("span.t", {}, label), key && h("kbd", {}, key));

/** Radio group as one tab stop: arrows move. Returns {el, set(value)}. */
const segmented = (label, options, value, onchange) => {
  const buttons = options.map(([v, text]) =>
    h("button", { type: "button", role: "radio", "data-v": v, onclick: () => { set(v); onchange(v); } }, text));
  const el = h("span.tk-seg", { role: "radiogroup", "aria-label": label }, buttons);
  const set = (v) => buttons.forEach((b) => {
    const on = b.dataset.v === String(v);
    b.setAttribute("aria-checked", on);
    b.tabIndex = on ? 0 : -1;
  });
  set(value);
  roving(el);
  return { el, set, rename: (v, text) => { const b = buttons.find((x) => x.dataset.v === String(v)); if (b) setText(b, text); } };
};

/** Arrow keys move among the radios of a group, as in a native one. */
const roving = (el) => el.addEventListener("keydown", (e) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
  if (!step) return;
  const all = [...el.querySelectorAll("[role=radio]:not([disabled])")];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  if (next) { next.focus(); next.click(); e.preventDefault(); e.stopPropagation(); }
});

/** The three bands. Returns the pieces; head facts come from the model's `head` trait. */
const frame = (title, head) => {
  const link = h("span.tk-st", { role: "status" });
  const note = h("div", {});
  const body = h("div", {});
  const facts = h("span.tk-facts", {});
  const controls = h("span.tk-ctl", {});
  const source = h("span.tk-st", {}, icon(head.pic || (head.virtual ? "virt" : "board")), h("span", {}, head.name || "board"));
  const root = h("section.tk", { role: "group", "aria-label": title, "data-lm-suppress-shortcuts": "true" },
    h("div.tk-head", {}, h("h3", {}, title), source,
      head.virtual ? h("span.tk-tag", {}, "simulated data") : h("span.mut.mono", {}, head.port || ""),
      h("span.tk-sp", {}), link),
    note, body, h("div.tk-foot", {}, facts, controls));
  let shown = "";
  return {
    root, note, body, facts, controls,
    setLink(kind, text, picture) {
      const now = `${kind} ${picture}`;
      if (now !== shown) { shown = now; link.className = `tk-st tk-${kind}`; fill(link, icon(picture || kind), h("span", {})); }
      setText(link.lastChild, text);
    },
    setNote(n) { // {kind, what, next} or null
      const key = n ? n.kind + n.what + (n.next || "") : "";
      if (note.dataset.key === key) return;
      note.dataset.key = key;
      if (!n) return fill(note);
      const colour = { run: "accent", none: "edge" }[n.kind] || n.kind;
      fill(note, h(`div.tk-note.tk-${n.kind}`, { role: n.kind === "bad" ? "alert" : "status" },
        h("span", { style: `color:var(--tk-${colour})` }, icon(n.kind === "run" ? "next" : n.kind)),
        h("div", {}, h("b", {}, n.what), n.next ? h("div", {}, h("b", {}, "Next: "), n.next) : "")));
    },
  };
};

/** A note that stays for a while beside what the statuses say, which come every second; or until `drop`. */
const lasting = (ms = 20000) => {
  let note = null, until = 0;
  return { set: (n, now = Date.now()) => { note = n; until = now + ms; }, drop: () => { note = null; }, get: (now = Date.now()) => now < until ? note : null };
};

/** Single keys that act while focus is inside. JupyterLab never sees a plain key from here (arrows move
 *  a slider, not the notebook's cursor); Shift+Enter and everything with Ctrl still reach it. */
const keys = (root, map) => root.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || (e.shiftKey && e.key === "Enter")) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== "range";
  const act = map[e.key === " " ? "Space" : e.key.length === 1 ? e.key.toUpperCase() : e.key];
  if (act && (!typing || e.key === "Escape") && act(e) !== false) e.preventDefault();
  e.stopPropagation();
});

// -- numbers -----------------------------------------------------------------------------------

const minus = (s) => String(s).replace("-", "\u2212");
const commas = (n) => Math.round(n).toLocaleString("en-US");
const fixed = (v, d) => { const s = v.toFixed(d); return minus(Number(s) === 0 ? (0).toFixed(d) : s); };
const signed = (v, d) => { const s = v.toFixed(d); return Number(s) === 0 ? (0).toFixed(d) : minus(Number(s) > 0 ? "+" + s : s); };
const clock = (ms) => new Date(ms).toTimeString().slice(0, 8);
const ago = (s) => s < 90 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;

// -- colours and canvas ------------------------------------------------------------------------

/** Colours as the canvas understands them: color-mix and var are resolved by the browser. */
const theme = (el) => {
  const probe = h("span");
  el.appendChild(probe);
  const css = (name) => { probe.style.color = `var(--tk-${name})`; return getComputedStyle(probe).color; };
  const t = {};
  for (const k of ["ink", "ink-2", "line", "edge", "accent", "plot", "bg", "fill", "track", "ok", "warn", "bad", "rec",
    "x", "y", "z", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]) t[k] = css(k);
  probe.remove();
  t.font = getComputedStyle(el).fontFamily;
  return t;
};

/** Where no JupyterLab theme says light or dark, the measured ground does. */
const measureGround = (root) => {
  if (root.closest("[data-jp-theme-light]")) { delete root.dataset.tkGround; return; }
  const rgb = (getComputedStyle(root).backgroundColor.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  const dark = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] < 110;
  if (dark) root.dataset.tkGround = "dark"; else delete root.dataset.tkGround;
};

const canvasOf = (cv, height) => {
  const w = cv.clientWidth || cv.parentElement.clientWidth || 600, d = devicePixelRatio || 1;
  const W = Math.round(w * d), H = Math.round(height * d);
  if (cv.width !== W || cv.height !== H) { cv.width = W; cv.height = H; cv.style.height = height + "px"; }
  const g = cv.getContext("2d");
  g.setTransform(d, 0, 0, d, 0, 0);
  g.clearRect(0, 0, w, height);
  return { g, w, h: height };
};

const write = (g, t, s, x, y, o = {}) => {
  g.font = `${o.bold ? "600 " : ""}${o.size || 11}px ${t.font}`;
  g.textAlign = o.align || "left";
  g.textBaseline = "middle";
  if (o.halo) { g.lineWidth = 3; g.lineJoin = "round"; g.strokeStyle = o.halo; g.strokeText(s, x, y); }
  g.fillStyle = o.fill || t["ink-2"];
  g.fillText(s, x, y);
};

/** The first of some texts that is at most so wide, else the last: pages on a phone are narrow. */
const fitting = (g, t, room, ...texts) => { g.font = `600 12px ${t.font}`; return texts.find((s) => g.measureText(s).width <= room) ?? texts[texts.length - 1]; };

const rule = (g, colour, x0, y0, x1, y1, dash) => {
  g.strokeStyle = colour; g.lineWidth = 1; g.setLineDash(dash || []);
  g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke(); g.setLineDash([]);
};
const crisp = (v) => Math.round(v) + 0.5;

const mark = (g, k, x, y, r, colour, halo) => {
  g.beginPath();
  if (k === "x") g.arc(x, y, r, 0, 7);
  else if (k === "y") { g.moveTo(x, y - r * 1.2); g.lineTo(x + r * 1.15, y + r * 0.85); g.lineTo(x - r * 1.15, y + r * 0.85); g.closePath(); }
  else g.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  if (halo) { g.lineWidth = 2.5; g.strokeStyle = halo; g.stroke(); }
  g.fillStyle = colour; g.fill();
};

const hatch = (g, x, y, w, height, colour) => {
  g.save(); g.beginPath(); g.rect(x, y, w, height); g.clip();
  g.strokeStyle = colour; g.lineWidth = 1; g.beginPath();
  for (let i = -height; i < w + height; i += 6) { g.moveTo(x + i, y + height); g.lineTo(x + i + height, y); }
  g.stroke(); g.restore();
};

/** Labels at one edge of a plot, sorted and pushed so many px apart: each has its height as `y`. */
const apart = (tags, px) => {
  tags.sort((a, b) => a.y - b.y);
  for (let n = 0; n < 9; n++) for (let k = 1; k < tags.length; k++) { const d = px - (tags[k].y - tags[k - 1].y); if (d > 0) { tags[k].y += d / 2; tags[k - 1].y -= d / 2; } }
  return tags;
};

/** Which axis ends where, 16 px apart with leaders, and its value: tags of {name, axis, text, at, y}. */
const endTags = (g, t, tags, x1, w) => {
  for (const q of apart(tags, 16)) {
    rule(g, t[q.axis], x1 + 1, q.at, x1 + 9, q.y);
    mark(g, q.axis, x1 + 14, q.y, 3.4, t[q.axis]);
    write(g, t, q.name, x1 + 22, q.y, { size: 12, fill: t.ink, bold: true });
    write(g, t, q.text, w - 10, q.y, { size: 12, fill: t.ink, align: "right" });
  }
};

/** The axis of time: five ticks, a quarter each; `back` seconds from the end that is held. */
const timeTicks = (g, t, x0, x1, y, o) => {
  for (let k = 0; k <= 4; k += x1 - x0 < 200 ? 2 : 1) {
    const s = o.seconds * k / 4 + o.back, x = x1 - (x1 - x0) * k / 4;
    const said = o.seconds < 2 ? `${commas(1000 * s)} ms` : `${+s.toFixed(o.back || o.seconds < 4 ? 1 : 0)} s`;
    write(g, t, s > 0.0005 ? `\u2212${said}` : o.now, x, y, { align: k === 4 ? "left" : k ? "center" : "right" });
  }
};

// -- samples -----------------------------------------------------------------------------------

/** The latest samples. index: the sensor's running number; a jump of it is a gap. */
class SampleRing {
  constructor(capacity, channels) {
    this.capacity = capacity; this.channels = channels;
    this.index = new Float64Array(capacity);
    this.data = new Int16Array(capacity * channels);
    this.written = 0; this.arrived = 0; this.generation = 0;
  }
  /** runs: [[row, index of that row], ...]; counts: Int16Array, row-major. */
  push(runs, counts) {
    const n = counts.length / this.channels;
    for (let r = 0; r < runs.length; r++) {
      const end = r + 1 < runs.length ? runs[r + 1][0] : n;
      for (let row = runs[r][0]; row < end; row++) {
        const at = this.written % this.capacity;
        this.index[at] = runs[r][1] + row - runs[r][0];
        this.data.set(counts.subarray(row * this.channels, (row + 1) * this.channels), at * this.channels);
        this.written++;
      }
    }
    if (n) this.arrived = Date.now();
  }
  /** A message of samples with its buffer. */
  take(m, buffer) {
    if (m.fresh) { this.written = 0; this.generation++; }
    this.push(m.runs, int16Of(buffer));
  }
  get size() { return Math.min(this.written, this.capacity); }
  get last() { return this.size ? this.index[(this.written - 1) % this.capacity] : -1; }
  at(k, c) { return this.data[((this.written - this.size + k) % this.capacity) * this.channels + c]; }
  indexAt(k) { return this.index[(this.written - this.size + k) % this.capacity]; }
  /** First k whose index is at least i (indices rise). */
  from(i) {
    let lo = 0, hi = this.size;
    while (lo < hi) { const m = (lo + hi) >> 1; if (this.indexAt(m) < i) lo = m + 1; else hi = m; }
    return lo;
  }
  copy() {
    const r = new SampleRing(this.capacity, this.channels);
    r.index.set(this.index); r.data.set(this.data); r.written = this.written; r.arrived = this.arrived; r.generation = this.generation;
    return r;
  }
  /** Missing samples after index `from`: [[first missing, how many], ...]. */
  gaps(from) {
    const out = [];
    for (let k = Math.max(1, this.from(from)); k < this.size; k++) {
      const miss = this.indexAt(k) - this.indexAt(k - 1) - 1;
      if (miss > 0) out.push([this.indexAt(k - 1) + 1, miss]);
    }
    return out;
  }
}

const int16Of = (b) => new Int16Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength));
const bytesOf = (b) => new Uint8Array(b.buffer, b.byteOffset, b.byteLength);

/** One channel's line over [from, last]; the pen is lifted at every gap. */
const trace = (g, ring, channel, from, X, Y, colour, width, dash) => {
  g.strokeStyle = colour; g.lineWidth = width; g.lineJoin = "round"; g.setLineDash(dash || []);
  g.beginPath();
  let before = -2;
  for (let k = ring.from(from); k < ring.size; k++) {
    const i = ring.indexAt(k), x = X(i), y = Y(ring.at(k, channel));
    if (i === before + 1) g.lineTo(x, y); else g.moveTo(x, y);
    before = i;
  }
  g.stroke(); g.setLineDash([]);
};

// -- drawing loop ------------------------------------------------------------------------------

/** Calls draw(now, forced) in an animation frame when something changed and the widget can be seen.
 *
 *  A draw that returns true (drawn) or false (nothing had moved) is called again in the next frame;
 *  `touch.go()` starts such a run, `touch()` forces a picture. */
const drawLoop = (root, draw) => {
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let visible = true, asked = 0, dirty = true, again = false, lastDraw = 0, lastLook = 0, frames = 0, dead = false;
  const tick = (now) => {
    asked = 0;
    if (dead || !(dirty || again) || !visible) return;
    if (now - lastLook < 12) { ask(); return; } // a screen of 120 or 144 Hz: 60 or 72 are enough
    if (reduced.matches && now - lastDraw < 500) { later(); return; }
    if (!root.isConnected || !root.clientWidth) { later(); return; }
    const forced = dirty;
    dirty = false; lastLook = now;
    const said = draw(now, forced);
    again = said === true || said === false;
    if (again) ask();
    if (said === false) return;
    lastDraw = now; frames++;
    if (frames % 10 === 0 || frames < 10) root.dataset.frames = frames;
  };
  const ask = () => { if (!asked && !dead) asked = requestAnimationFrame(tick); };
  const later = () => setTimeout(ask, 100);
  const touch = () => { dirty = true; ask(); };
  touch.go = () => { again = true; ask(); };
  const seen = new IntersectionObserver((es) => { visible = es[es.length - 1].isIntersecting; if (visible) touch(); });
  const sized = new ResizeObserver(touch);
  const themed = new MutationObserver(() => { measureGround(root); touch.themeChanged?.(); touch(); });
  seen.observe(root); sized.observe(root);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  requestAnimationFrame(() => { measureGround(root); touch(); });
  touch.stop = () => { dead = true; cancelAnimationFrame(asked); seen.disconnect(); sized.disconnect(); themed.disconnect(); };
  return touch;
};

/** Says what a canvas shows, at most every five seconds. */
const describer = (cv) => {
  let last = 0;
  return (text) => { const now = Date.now(); if (now - last > 5000) { last = now; cv.setAttribute("aria-label", text()); } };
};

/** One message, then silence for `ms`; the last text of a burst is said afterwards. */
const politely = (el, ms) => {
  let said = "", at = 0, timer = 0, next = "";
  const say = () => { timer = 0; at = Date.now(); if (next !== said) { said = next; el.textContent = said; } };
  return (text) => { next = text; if (text === said || timer) return; const wait = at + ms - Date.now(); if (wait <= 0) say(); else timer = setTimeout(say, wait); };
};

/** Tells the kernel that a view is there (and asks for the state), every five seconds that it still is, and that it
 *  went: a page that is closed can't say that. Messages from the kernel call heard(): a hidden page's timers are slow. */
const announce = (model) => {
  const view = Math.random().toString(36).slice(2), beat = 5000;
  let at = 0, wait = beat, timer = 0;
  const say = (k) => {
    clearTimeout(timer);
    at = Date.now();
    timer = setTimeout(() => { wait = Math.min(2 * wait, 300000); say("here"); }, wait); // rarer where nobody answers
    try { model.send({ k, view }); } catch { /* the kernel is dead */ }
  };
  say("ready");
  return {
    heard() { if (Date.now() - at >= beat) { wait = beat; say("here"); } },
    gone() { say("bye"); clearTimeout(timer); },
  };
};

/** A widget's module. make(model) gives what its views share: {take(message, buffers), view(model, lastStatus)},
 *  a view being {root, message(m), stop()}. */
const widgetOf = (make) => {
  const views = new Set(), present = new Set();
  let shared = null, status = null;
  return {
    initialize({ model }) {
      shared = make(model);
      model.on("msg:custom", (m, buffers) => {
        if (m.k === "status") { status = m; m.at = Date.now(); }
        shared.take?.(m, buffers);
        for (const view of views) view(m);
        for (const { heard } of present) heard();
      });
    },
    render({ model, el }) {
      const view = shared.view(model, () => status);
      el.append(view.root);
      views.add(view.message);
      const presence = announce(model);
      present.add(presence);
      return () => { views.delete(view.message); present.delete(presence); view.stop(); presence.gone(); };
    },
  };
};

/** The kernel says once a second how it stands; says in the head when it does not. */
const noteSilence = (ui, status) => {
  if (status && Date.now() - status.at > 4000) ui.setLink("bad", "no news from the notebook's kernel", "unlink");
};
