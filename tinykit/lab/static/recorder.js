// The recorder: chips, the big button with its 3-2-1, a preview, take cards.
// After `core.js`, `sound.js`, `capture.js`, `cutter.js`.

const AXES = ["x", "y", "z"], DASH = [[], [4, 2], [1.5, 1.5]];
const LENGTHS = { one: [1, 1.5, 2, 3], ten: [1, 1.5, 2, 3], long: [10, 20, 30, 60] };

export default () => widgetOf((model) => {
  const c = model.get("config"), last = {};
  const ring = c.sound ? new SoundRing(c.rate_hz, 12) : new SampleRing(Math.ceil(c.rate_hz * 8), c.channels.length);
  return {
    take(m, buffers) {
      if (m.k === "samples") ring.take(m, buffers[0]);
      if (m.k === "takes") m.sparks = int16Of(buffers[0]);
      if (m.k === "heard") m.counts = int16Of(buffers[0]);
      if (m.k === "cut") m.above = buffers?.[0];
      if (["labels", "takes", "cut"].includes(m.k)) last[m.k] = m;
    },
    view: (model, lastStatus) => recorderView(model, ring, last, lastStatus),
  };
});

/** The big button: circle, number in ring, square in ring, ten segments; each with its own words. */
const arc = (from, to, r = 41) => {
  const p = (d) => [44 + r * Math.cos((d - 90) * Math.PI / 180), 44 + r * Math.sin((d - 90) * Math.PI / 180)].map((v) => v.toFixed(1)).join(" ");
  const end = Math.min(to, from + 359.9);
  return `M${p(from)}A${r} ${r} 0 ${end - from > 180 ? 1 : 0} 1 ${p(end)}`;
};
const face = {
  ready: () => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-edge)" stroke-width="2"/><circle cx="44" cy="44" r="32" fill="var(--tk-rec)"/>',
  count: (n, share) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-track)" stroke-width="4"/>' +
    `<path d="${arc(0, 360 * share)}" fill="none" stroke="var(--tk-accent)" stroke-width="4"/>` +
    `<text x="44" y="60" text-anchor="middle" font-size="46" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${n}</text>`,
  taking: (share) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-track)" stroke-width="4"/>' +
    `<path d="${arc(0, 360 * share)}" fill="none" stroke="var(--tk-rec)" stroke-width="4"/><rect x="26" y="26" width="36" height="36" rx="3" fill="var(--tk-rec)"/>`,
  ten: (done) => Array.from({ length: 10 }, (_, i) =>
    `<path d="${arc(i * 36 + 3, i * 36 + 33, 39)}" fill="none" stroke="var(--tk-${i < done ? "fill" : i === done ? "accent" : "track"})" stroke-width="${i === done ? 8 : 6}"/>`).join("") +
    `<text x="44" y="55" text-anchor="middle" font-size="30" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${done}<tspan font-size="15" font-weight="400">/10</tspan></text>`,
  long: (seconds) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-rec)" stroke-width="2"/><rect x="30" y="20" width="28" height="28" rx="3" fill="var(--tk-rec)"/>' +
    `<text x="44" y="69" text-anchor="middle" font-size="17" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}</text>`,
};

function recorderView(model, ring, last, lastStatus) {
  const config = model.get("config");
  const ui = frame("Recorder", model.get("head"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let label = "", mode = "one", seconds = config.seconds, phase = "ready", began = 0, done = 0, timer = 0, show = "all", colours = null, playing = null, takes = null, result = "";
  const spoken = h("span.vh", { "aria-live": "assertive" });

  // What to record
  const chips = h("div.tk-chips", { role: "radiogroup", "aria-label": "Label to record" });
  roving(chips);
  const addSlot = h("span", {});
  const adding = () => {
    const input = h("input", { type: "text", "aria-label": "New label", maxlength: 40, placeholder: "new label" });
    const commit = () => { const v = input.value.trim(); addButton(); if (v) model.send({ k: "label", label: v }); };
    input.addEventListener("keydown", (e) => { if (e.key === "Enter") { commit(); e.stopPropagation(); } if (e.key === "Escape") { addButton(); e.stopPropagation(); } });
    fill(addSlot, input, " ", button("Add", { onclick: commit }));
    input.focus();
  };
  const addButton = () => fill(addSlot, button("+ Add a label", { onclick: adding }));
  addButton();
  const hint = h("div", { role: "status" });

  // The button
  const svg = h("span", {}), big = h("span.t", {}), small = h("span.u.num", {});
  const rec = h("button.tk-rb", { type: "button", onclick: () => press() }, svg, big, small);
  const who = h("input", { type: "text", value: config.person, placeholder: "nickname", "aria-label": "Who is recording", maxlength: 24 });
  const known = h("datalist", { id: "tk-who-" + Math.random().toString(36).slice(2) });
  who.setAttribute("list", known.id);
  const modes = segmented("Mode", [["one", "One take"], ["ten", "Ten takes"], ["long", "Long take"]], mode, (v) => { mode = v; setLengths(); paint(); });
  const length = h("select", { "aria-label": "Length of a take", onchange: () => { seconds = +length.value; touch(); } });
  const setLengths = () => {
    const own = mode === "long" ? LENGTHS.long : [...new Set([...LENGTHS.one, config.seconds])].sort((a, b) => a - b);
    if (!own.includes(seconds)) seconds = mode === "long" ? own[1] : config.seconds;
    fill(length, own.map((s) => h("option", { value: s, selected: s === seconds }, `${s} s`)));
  };
  setLengths();
  const what = config.sound ? "sound" : "acceleration";
  const preview = h("canvas", { role: "img", "aria-label": `Live preview of the ${what}, last ${config.preview_s} seconds.` });
  const describe = describer(preview), level = config.sound ? levelMeter(config.wanted) : null;
  // Sound only: the page's own microphone, hearing takes again, cutting a long one.
  const mic = config.browser ? microphoneBar(model, { ring, onsound: () => touch(), onstate: (state, note) => {
    ui.setNote(note ? { kind: "bad", ...note } : null); held = note ? Date.now() + 60000 : 0;
    linkOfMicrophone(ui, state);
    touch();
  } }) : null;
  const player = config.sound ? soundPlayer() : null, heard = new Map();
  const hear = (key, value) => { player.wake(); const known = heard.get(`${key} ${value}`); if (known) start_(known); else { waiting = `${key} ${value}`; model.send({ k: "hear", [key]: value }); } };
  let waiting = "";
  const start_ = (m) => { player.play(m.counts, m.rate, () => { playing = null; paintTakes(); }); touch(); };
  const cutter = config.sound ? cutPanel((k, content) => model.send({ k, ...content }), hear) : null;

  // Takes
  const heading = h("h4", {}), scale = h("span.s.mut", {}, config.sound ? "all on one scale, full scale" : "all on one scale, \u22124 to +4 g");
  const filter = segmented("Show", [["all", "All"], ["flag", "Flagged"], ["new", "New"]], "all", (v) => { show = v; paintTakes(); });
  const undo = h("div", { role: "status" }), cards = h("div.tk-tg", { role: "list", "aria-label": "Takes" });
  const saved = h("span", {});
  ui.controls.append(saved);

  ui.body.append(mic ? mic.el : "",
    h("div.tk-tools", mic ? { style: "border-top:1px solid var(--tk-line)" } : {}, h("h4", {}, "What to record"), h("span.s.mut", {}, `target ${config.target} takes each, from at least ${config.people} people`), h("span.tk-sp", {}), addSlot),
    chips, hint,
    h("div.tk-rec", {}, rec, h("div", {}, h("div.tk-set", {}, h("label", {}, "Who ", who, known), modes.el, h("label", {}, "Length ", length)), h("div.tk-pv.tk-plot", {}, preview))),
    level ? level.el : "", cutter ? cutter.el : "",
    h("div.tk-sec", {}, h("div.tk-tools", { style: "border-top:1px solid var(--tk-line)" }, heading, filter.el, h("span.tk-sp", {}), scale), undo, cards), spoken);

  // -- recording
  const press = () => {
    if (phase !== "ready") return stop();
    if (mic && mic.state !== "on") { ui.setNote({ kind: "run", what: "", next: "allow the microphone, then press the button again." }); held = Date.now() + 8000; if (mic.state !== "asking") mic.press(); return; }
    count();
  };
  const count = () => { result = ""; phase = "count"; began = Date.now(); setText(spoken, `Get ready: ${label}`); run(); };
  const start = () => { phase = "wait"; began = Date.now(); model.send({ k: "record", label, seconds, person: who.value, long: mode === "long" }); };
  const stop = () => {
    if (phase === "wait" || phase === "taking") model.send({ k: "cancel" });
    phase = "ready"; done = 0; clearTimeout(timer); paint();
  };
  const run = () => {
    clearTimeout(timer);
    const s = (Date.now() - began) / 1000;
    if (phase === "count" && s >= 2.4) start();
    if (phase === "pause" && s >= 1) start();
    if (phase === "wait" && s > 6) { result = "the kernel is busy with another cell: the take starts when that is done"; }
    paint();
    if (phase !== "ready") timer = setTimeout(run, calm.matches ? 500 : 50);
  };
  const paint = () => {
    const s = (Date.now() - began) / 1000, share = Math.min(1, s / seconds);
    const look = phase === "count" ? face.count(3 - Math.floor(s / 0.8), (s % 0.8) / 0.8) : phase === "taking" && mode === "long" ? face.long(Math.min(s, seconds))
      : phase === "taking" || phase === "wait" ? face.taking(phase === "wait" ? 0 : share) : phase === "pause" ? face.ten(done) : face.ready();
    svg.innerHTML = `<svg viewBox="0 0 88 88" aria-hidden="true">${look}</svg>`;
    setText(big, { ready: `Record “${label}”`, count: `Get ready: “${label}”`, wait: "Starting", taking: mode === "ten" ? `Take ${done + 1} of 10` : mode === "long" ? "Long take running" : "Recording now", pause: `Take ${done + 1} of 10` }[phase]);
    const words = { ready: [h("kbd", {}, "Space"), " after 3-2-1"], count: [h("kbd", {}, "Esc"), " cancels"], wait: result || "…",
      taking: mode === "long" ? (config.sound ? "say it again and again, with pauses" : "cut into windows later") : `${Math.min(s, seconds).toFixed(1)} s of ${seconds} s`, pause: ["next in 1 s, ", h("kbd", {}, "Esc"), " stops"] }[phase];
    const key = phase + (phase === "taking" || phase === "wait" ? String(words) : "");
    if (small.dataset.key !== key) { small.dataset.key = key; fill(small, words); }
  };
  const taken = (m) => {
    if (phase === "ready") return;
    setText(spoken, m.ok ? (m.number ? `Take ${m.number}: ${m.text}` : m.text) : `Not kept: ${m.text}`);
    done += 1;
    if (!m.ok && m.number) ui.setNote({ kind: "warn", what: `Take ${m.number} was refused: ${m.text}.`, next: m.next });
    else ui.setNote(null);
    held = Date.now() + (m.ok ? 0 : 8000);

    if (mode === "ten" && done < 10 && (m.ok || m.number)) { phase = "pause"; began = Date.now(); run(); } else { phase = "ready"; done = 0; clearTimeout(timer); paint(); }
  };
  let held = 0; // a refusal stays to be read before the link's own note

  // -- chips and cards
  const paintLabels = (m) => {
    if (!m) return;
    label = m.label;
    const focused = chips.contains(document.activeElement);
    fill(chips, m.labels.map(({ name, persons }) => {
      const sum = Object.values(persons).reduce((a, b) => a + b, 0), people = Object.entries(persons);
      return h("button.tk-chip", { type: "button", role: "radio", "aria-checked": name === label, tabindex: name === label ? 0 : -1,
        "aria-label": `${name}, ${sum} of ${config.target} takes${people.length ? ", " + people.map((p) => p.join(" ")).join(", ") : ""}`,
        onclick: () => { if (phase === "ready") model.send({ k: "label", label: name }); } },
      h("b", {}, name), h("span.num", {}, `${sum}/${config.target}${sum >= config.target ? " full" : ""}`),
      h("span.seg", {}, people.map(([, n]) => h("i", { style: `width:calc(${Math.min(100, 100 * n / Math.max(config.target, sum))}% - 2px)` }))),
      h("span.ppl", {}, people.length ? people.map((p) => p.join("\u00a0")).join(", ") + (people.length === 1 ? " only" : "") : "nobody yet"));
    }));
    if (focused) chips.querySelector("[aria-checked=true]")?.focus();
    const names = [...new Set([...config.persons, ...m.labels.flatMap((l) => Object.keys(l.persons))])].filter((n) => n !== "?");
    fill(known, names.map((n) => h("option", { value: n })));
    const kind = m.hint.kind;
    fill(hint, h(`div.tk-note.tk-${kind}`, {}, h("span", { style: `color:var(--tk-${kind === "run" ? "accent" : kind})` }, icon(kind === "run" ? "next" : kind)), h("div", {}, kind === "run" ? [h("b", {}, "Next: "), m.hint.text] : m.hint.text)));
    setText(ui.facts, m.foot.facts);
    fill(saved, m.foot.kept ? state("ok", m.foot.saved) : state("none", m.foot.saved));
    saved.className = "s";
    paint();
  };
  const paintTakes = () => {
    if (!takes) return;
    setText(heading, `${takes.total} take${takes.total === 1 ? "" : "s"} of “${takes.label}”`);
    const flagged = takes.takes.filter((t) => t.state === "flag" || t.state === "refused"), fresh = takes.takes.filter((t) => t.state === "new");
    filter.rename("all", `All ${takes.total}`); filter.rename("flag", `Flagged ${flagged.length}`); filter.rename("new", `New ${fresh.length}`);
    const gone = takes.gone[0];
    fill(undo, gone ? h("div.tk-undo", {}, icon("bin"), h("span", {}, `Take ${gone.n} (${[gone.person, gone.why && `“${gone.why}”`].filter(Boolean).join(", ") || "no name"}) discarded.`),
      button("Undo", { pic: "undo", onclick: () => model.send({ k: "undo", n: gone.n }) }), h("span.mut.s", {}, "kept until you close the notebook")) : "");
    fill(cards, takes.takes.map((t, i) => [t, i]).filter(([t]) => show === "all" || (show === "new" ? t.state === "new" : t.state === "flag" || t.state === "refused")).map(([t, i]) => takeCard(t, i)));
    touch();
  };
  const takeCard = (t, i) => {
    const cv = h("canvas", { role: "img", "aria-label": `Take ${t.n}${t.person ? " by " + t.person : ""}, ${t.why || t.state}` });
    const words = { flag: ["warn", t.why], refused: ["warn", `refused: ${t.why.split(" (")[0]}`], new: ["run", "new, not checked", "none"], good: ["ok", "good"] }[t.state];
    const shown = playing && playing.n === t.n ? ["run", "playing", "play"] : words;
    const st = state(...shown);
    st.classList.add("w");
    if (t.why) st.title = t.why;
    const card = h(`div.tk-take.${t.state}`, { role: "listitem" },
      h("div.h", {}, h("span", {}, h("b", {}, String(t.n)), " ", t.person), h("span.mut.num", {}, `${t.seconds.toFixed(1)} s`)), cv, st);
    const act = (pic, name, onclick) => h("button.tk-btn.quiet.ico.sm", { type: "button", "aria-label": `${name} take ${t.n}`, title: name, onclick }, icon(pic));
    const relabel = () => {
      const names = (last.labels?.labels || []).map((l) => l.name).filter((n) => n !== takes.label);
      const select = h("select", { "aria-label": `New label of take ${t.n}`, onchange: () => model.send({ k: "relabel", n: t.n, label: select.value }), onblur: () => select.remove() }, h("option", { value: "" }, "new label…"), names.map((n) => h("option", { value: n }, n)));
      card.append(select); select.focus();
    };
    card.append(h("div.a", {}, act("play", "Play", () => play(t)), t.state === "new" ? act("keep", "Keep", () => model.send({ k: "check", n: t.n })) : "", t.state === "refused" ? "" : act("tag", "Relabel", relabel), act("bin", "Discard", () => model.send({ k: "discard", n: t.n }))));
    card.draw = () => (config.sound ? drawHeard : drawTake)(cv, colours, takes.sparks, i, config.points, t, playing && playing.n === t.n ? shareOf() : null);
    card.words = st;
    return card;
  };
  const shareOf = () => player ? player.share ?? 0 : (Date.now() - playing.began) / 1000 / playing.seconds;
  const play = (t) => {
    const on = playing && playing.n === t.n;
    player?.stop();
    playing = on ? null : { n: t.n, began: Date.now(), seconds: t.seconds };
    if (player && playing) hear("n", t.n);
    paintTakes();
  };

  const touch = drawLoop(ui.root, () => {
    colours = colours || theme(ui.root);
    (config.sound ? drawListening : drawPreview)(preview, colours, ring, config, seconds, mode);
    describe(() => config.sound ? `Live waveform of the last ${config.preview_s} seconds, ${verdictOf(ring, config.wanted).text}.` : `Live preview of the acceleration, last ${config.preview_s} seconds.`);
    level?.show(ring);
    cutter?.draw(colours);
    if (playing && !player && Date.now() - playing.began > playing.seconds * 1000) { playing = null; paintTakes(); return; }
    for (const card of cards.children) if (card.stale !== colours || playing || card.was) { card.draw(); card.stale = colours; card.was = Boolean(playing); }
    if (playing) {
      const card = [...cards.children].find((c) => c.querySelector("b").textContent === String(playing.n));
      if (card) setText(card.words.lastChild, `playing, ${(shareOf() * playing.seconds).toFixed(1)} s`);
      touch();
    }
  });
  touch.themeChanged = () => { colours = null; };
  if (cutter) cutter.touch = touch;
  const sized = new ResizeObserver(() => { for (const card of cards.children) card.stale = null; touch(); });
  sized.observe(cards);

  keys(ui.root, {
    Space: (e) => { if (e.target.closest("button") && e.target.getAttribute("role") !== "radio") return false; press(); },
    Escape: () => { if (phase === "ready") return false; stop(); },
  });
  const showStatus = (s) => { if (s) { mic?.behind(s.page); if (mic && mic.state !== "on") linkOfMicrophone(ui, mic.state); else ui.setLink(s.link.kind, s.link.text, s.link.picture); if (s.note || Date.now() > held) ui.setNote(s.note); } };
  const watch = setInterval(() => noteSilence(ui, lastStatus()), 1000);
  paintLabels(last.labels);
  if (last.takes) { takes = last.takes; paintTakes(); }
  if (last.cut) cutter?.show(last.cut, last.cut.above);
  showStatus(lastStatus());
  paint();
  touch();
  return {
    root: ui.root,
    stop: () => { clearTimeout(timer); clearInterval(watch); sized.disconnect(); mic?.stop(); player?.close(); touch.stop(); },
    message: (m) => {
      if (m.k === "samples") touch();
      if (m.k === "status") showStatus(m);
      if (m.k === "labels") paintLabels(m);
      if (m.k === "takes") { takes = m; paintTakes(); }
      if (m.k === "taking" && phase === "wait") { phase = "taking"; began = Date.now(); setText(spoken, "Recording now"); }
      if (m.k === "taken") taken(m);
      if (m.k === "cut") cutter?.show(m, m.above);
      if (m.k === "heard") {
        const key = m.n !== undefined ? `n ${m.n}` : `word ${m.word}`;
        if (m.n !== undefined) heard.set(key, m); // a word's place changes with the threshold
        if (waiting === key) { waiting = ""; start_(m); }
      }
      if (m.k === "told") { ui.setNote({ kind: m.state, what: m.text }); held = Date.now() + 6000; }
      if (m.k === "error") { ui.setNote({ kind: "bad", what: m.what, next: m.next }); held = Date.now() + 15000; }
    },
  };
}

function drawPreview(cv, t, ring, config, seconds, mode) {
  const { g, w, h: H } = canvasOf(cv, 96);
  const x0 = 38, x1 = w - 34, m = 2, last = ring.last, columns = config.channels.map((c, j) => [c, j]).filter(([c]) => c[0] === "a");
  const X = (i) => x1 - (x1 - x0) * (last - i) / (config.rate_hz * config.preview_s), Y = (v) => (H - 16) / 2 + 4 - Math.max(-m, Math.min(m, v)) / m * (H - 28) / 2;
  for (const k of [-m, 0, m]) { rule(g, t.line, x0, crisp(Y(k)), x1, crisp(Y(k))); write(g, t, k > 0 ? `+${k} g` : minus(k), x0 - 5, Y(k), { align: "right" }); }
  if (mode !== "long") {
    const lead = crisp(x1 - (x1 - x0) * seconds / config.preview_s);
    if (lead > x0) { rule(g, t.edge, lead, 4, lead, H - 16, [3, 3]); write(g, t, `one take, ${seconds} s`, lead + 5, H - 24); }
  }
  columns.forEach(([c, j], k) => trace(g, ring, j, last - config.rate_hz * config.preview_s, X, (v) => Y(v / 8192), t[c[1].toLowerCase()], 1.5, [[], [6, 3], [2, 2]][k]));
  for (const [first, n] of ring.gaps(last - config.rate_hz * config.preview_s)) { const a = X(first - 1), b = X(first + n); hatch(g, a, 4, b - a, H - 20, t.edge); }
  write(g, t, `\u2212${config.preview_s} s`, x0, H - 7); write(g, t, "now", x1, H - 7, { align: "right" });
  if (!ring.size) return;
  const tags = columns.map(([c, j]) => ({ c, y: Y(ring.at(ring.size - 1, j) / 8192) })).sort((a, b) => a.y - b.y);
  for (let n = 0; n < 9; n++) for (let k = 1; k < tags.length; k++) { const d = 14 - (tags[k].y - tags[k - 1].y); if (d > 0) { tags[k].y += d / 2; tags[k - 1].y -= d / 2; } }
  for (const q of tags) { const k = q.c[1].toLowerCase(); mark(g, k, x1 + 10, q.y, 3.2, t[k]); write(g, t, q.c[1], x1 + 18, q.y, { fill: t.ink, bold: true }); }
}

function drawTake(cv, t, sparks, which, points, take, at) {
  const { g, w, h: H } = canvasOf(cv, 52);
  const X = (i) => 8 + (w - 16) * i / (points - 1), Y = (v) => H / 2 - Math.max(-4.1, Math.min(4.1, v)) / 4.3 * (H / 2 - 2);
  rule(g, t.line, 8, crisp(H / 2), w - 8, crisp(H / 2));
  AXES.forEach((k, c) => {
    g.strokeStyle = t[k]; g.lineWidth = 1.25; g.setLineDash(DASH[c]); g.beginPath();
    for (let i = 0; i < points; i++) { const y = Y(sparks[(which * points + i) * 3 + c] / 1000); if (i) g.lineTo(X(i), y); else g.moveTo(X(i), y); }
    g.stroke();
  });
  g.setLineDash([]);
  if (/clipped/.test(take.why)) for (const v of [-4, 4]) rule(g, t.warn, 8, crisp(Y(v)), w - 8, crisp(Y(v)), [2, 2]);
  if (at !== null) { g.strokeStyle = t.ink; g.lineWidth = 1.5; g.beginPath(); const x = 8 + (w - 16) * Math.min(1, at); g.moveTo(x, 2); g.lineTo(x, H - 2); g.stroke(); }
}

/** The preview of sound: envelope, and how long a take would be. */
function drawListening(cv, t, ring, config, seconds, mode) {
  const { g, w, h: H } = canvasOf(cv, 96), x0 = 38, x1 = w - 12, from = ring.end - config.preview_s * ring.rate;
  const X = (i) => x1 - (x1 - x0) * (ring.end - i) / (config.preview_s * ring.rate), top = 6, height = H - 26;
  for (const v of [-1, 0, 1]) { const y = crisp(top + height / 2 - v * height / 2); rule(g, v ? t.line : t.edge, x0, y, x1, y); write(g, t, signed(v, 0), x0 - 5, y, { align: "right" }); }
  g.save(); g.beginPath(); g.rect(x0, 0, x1 - x0, H); g.clip();
  drawEnvelope(g, t, ring, X, top, height, from);
  g.restore();
  if (mode !== "long") {
    const lead = crisp(x1 - (x1 - x0) * seconds / config.preview_s);
    if (lead > x0) { rule(g, t.edge, lead, 4, lead, H - 18, [3, 3]); write(g, t, `one take, ${seconds} s`, lead + 5, 12, { halo: t.plot }); }
  }
  drawHoles(g, t, ring, X, top, top + height, x0, from);
  write(g, t, `\u2212${config.preview_s} s`, x0, H - 7); write(g, t, ring.arrived && Date.now() - ring.arrived > 1500 ? clock(ring.arrived) : "now", x1, H - 7, { align: "right" });
}

function drawHeard(cv, t, sparks, which, points, take, at) {
  const { g, w, h: H } = canvasOf(cv, 52), X = (i) => 8 + (w - 16) * i / points, Y = (v) => H / 2 - v / 32768 * (H / 2 - 2);
  rule(g, t.line, 8, crisp(H / 2), w - 8, crisp(H / 2));
  g.fillStyle = t.fill;
  for (let i = 0; i < points; i++) {
    const low = Y(sparks[(which * points + i) * 2]), high = Y(sparks[(which * points + i) * 2 + 1]);
    g.fillRect(X(i), Math.min(high, H / 2 - 0.5), Math.max(1, X(1) - X(0)), Math.max(1, low - high));
  }
  if (/clipped/.test(take.why)) for (const v of [-32768, 32767]) rule(g, t.warn, 8, crisp(Y(v)), w - 8, crisp(Y(v)), [2, 2]);
  if (at !== null) { g.strokeStyle = t.ink; g.lineWidth = 1.5; g.beginPath(); const x = 8 + (w - 16) * Math.min(1, at); g.moveTo(x, 2); g.lineTo(x, H - 2); g.stroke(); }
}
