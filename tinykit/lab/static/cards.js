// The recorder's takes: cards with their pictures, all labels at a glance, and what keys do with them.
// After `core.js`.

const AXES = ["x", "y", "z"], DASH = [[], [4, 2], [1.5, 1.5]];
const GAP = -32768; // in a picture: nothing arrived

/** The panel. ask(kind, content) sends to the kernel; play(n, seconds) plays a take or stops it; labels() names them;
 *  playing() is {n, seconds, share} of the take that plays, or null. */
const cardsPanel = ({ config, ask, play, playing, labels, leave }) => {
  let show = "all", takes = null, rows = null, touch = () => {}, current = 0, picking = 0;
  const heading = h("h4", {}), scale = h("span.s.mut", {}, config.sound ? "all on one scale, full scale" : "all on one scale, \u22124 to +4 g");
  const filter = segmented("Show", [["all", "All"], ["flag", "Flagged"], ["new", "New"], ["labels", "All labels"]], "all", (v) => { show = v; paint(); });
  const undo = h("div", { role: "status" });
  const grid = h("div.tk-tg", { role: "list", "aria-label": "Takes" });
  const more = h("div.s.mut", {});
  const key = (k, does) => [h("kbd", {}, k), ` ${does} \u00a0`];
  const keysLine = h("div.tk-keys.s.mut", {}, key("\u2190 \u2192", "choose"), key("P", "play"), key("K", "keep"), key("L", "relabel"), key("Del", "discard"), key("U", "undo"));
  const el = h("div.tk-sec", {}, h("div.tk-tools", { style: "border-top:1px solid var(--tk-line)" }, heading, filter.el, h("span.tk-sp", {}), scale), undo, grid, more, keysLine);

  const flagged = (t) => t.state === "flag" || t.state === "refused";
  const wanted = (t) => show === "all" || (show === "new" ? t.state === "new" : flagged(t));
  const cards = () => [...grid.querySelectorAll(".tk-take")];
  const focusCard = (card) => { if (!card) return; setCurrent(card); card.focus(); };
  const setCurrent = (card) => {
    current = +card.dataset.n;
    for (const c of cards()) { c.tabIndex = c === card ? 0 : -1; for (const b of c.querySelectorAll(".a button")) b.tabIndex = c === card ? 0 : -1; }
  };

  // -- one card
  const cardOf = (t, i) => {
    const cv = h("canvas", { role: "img", "aria-label": `Take ${t.n}${t.person ? " by " + t.person : ""}, ${t.why || t.state}` });
    const words = { flag: ["warn", t.why], refused: ["warn", `refused: ${t.why.split(" (")[0]}`], new: ["run", "new, not checked", "none"], good: ["ok", "good"] }[t.state];
    const p = playing(), on = p && p.n === t.n;
    const said = state(...(on ? ["run", "playing", "play"] : words));
    said.classList.add("w");
    if (t.why) said.title = t.why;
    const card = h(`div.tk-take.${t.state}`, { role: "listitem", tabindex: -1, "data-n": t.n, "aria-keyshortcuts": "P K L Delete", onfocusin: () => setCurrent(card) },
      h("div.h", {}, h("span", {}, h("b", {}, String(t.n)), " ", t.person), h("span.mut.num", {}, `${t.seconds.toFixed(1)} s`)), cv, said);
    const act = (pic, name, does, onclick) => h("button.tk-btn.quiet.ico.sm", { type: "button", "data-does": does, tabindex: -1, "aria-label": `${name} take ${t.n}`, title: name, onclick }, icon(pic));
    card.append(h("div.a", {}, act(on ? "stop" : "play", on ? "Stop" : "Play", "play", () => play(t.n, t.seconds)),
      t.state === "new" ? act("keep", "Keep", "keep", () => ask("check", { n: t.n })) : t.state === "refused" ? act("keep", "Keep anyway", "keep", () => ask("check", { n: t.n })) : "",
      act("tag", "Relabel", "relabel", () => { picking = picking === t.n ? 0 : t.n; paint(); grid.querySelector(".tk-pick button")?.focus(); }),
      act("bin", "Discard", "discard", () => ask("discard", { n: t.n }))));
    if (picking === t.n) card.append(pickOf(t));
    card.draw = (colours, at) => (config.sound ? drawHeard : drawTake)(cv, colours, takes.sparks, i, config.points, t, at);
    card.said = said;
    return card;
  };
  /** Which label it shall have: buttons, because a select would take the first one that an arrow key comes to. */
  const pickOf = (t) => h("div.tk-pick", { role: "group", "aria-label": `New label of take ${t.n}` },
    labels().filter((n) => n !== takes.label).map((n) => h("button.tk-btn", { type: "button", onclick: () => { picking = 0; ask("relabel", { n: t.n, label: n }); } }, n)),
    labels().length < 2 ? h("span.s.mut", {}, "there is no other label yet") : "");

  // -- all labels
  const rowOf = ([name, list], first) => {
    const cv = h("canvas", { role: "img", "aria-label": list.length ? `The latest ${list.length} takes of ${name}` : `No takes of ${name}` });
    const total = labels.count(name), slot = h("span.tk-ctl", {});
    const buttons = () => fill(slot,
      h("button.tk-btn.quiet.ico.sm", { type: "button", "aria-label": `Rename ${name}`, title: "Rename", onclick: rename }, icon("tag")),
      h("button.tk-btn.quiet.ico.sm", { type: "button", "aria-label": `Remove ${name} and its takes`, title: "Remove", onclick: () => ask("remove", { label: name }) }, icon("bin")));
    const rename = () => {
      const input = h("input", { type: "text", value: name, maxlength: 40, "aria-label": `New name of ${name}` });
      const commit = () => { buttons(); ask("rename", { label: name, new: input.value }); };
      input.addEventListener("keydown", (e) => { if (e.key === "Enter") commit(); if (e.key === "Escape") { buttons(); slot.firstChild.focus(); } if (/Enter|Escape/.test(e.key)) e.stopPropagation(); });
      fill(slot, input, button("Rename", { onclick: commit }));
      input.select();
    };
    buttons();
    const row = h("div.tk-lrow", { role: "listitem" },
      h("button.tk-btn.quiet.name", { type: "button", title: "Show its takes", onclick: () => { show = "all"; filter.set("all"); ask("label", { label: name }); paint(); } }, h("b", {}, name)),
      h("span.num.mut", {}, `${total}/${config.target}`), h("div.pics", {}, list.length ? cv : h("span.s.mut", {}, "no take yet")), slot);
    row.draw = (colours) => list.length && drawThumbs(cv, colours, rows.sparks, first, list, config);
    return row;
  };

  // -- the whole
  const paint = () => {
    if (!takes) return;
    const within = grid.contains(document.activeElement) && document.activeElement, old = within && within.closest(".tk-take");
    const kept = old && { n: +old.dataset.n, at: cards().indexOf(old), does: within.dataset.does };
    const undoing = undo.contains(document.activeElement);
    setText(heading, show === "labels" ? "Every label" : `${takes.total} take${takes.total === 1 ? "" : "s"} of “${takes.label}”`);
    filter.rename("all", `All ${takes.total}`); filter.rename("flag", `Flagged ${takes.flagged}`); filter.rename("new", `New ${takes.new}`);
    fill(undo, takes.undo ? h("div.tk-undo", {}, icon("undo"), h("span", {}, takes.undo), button("Undo", { pic: "undo", key: "U", onclick: () => ask("undo") }), h("span.mut.s", {}, "kept until you close the notebook")) : "");
    grid.className = show === "labels" ? "tk-rows" : "tk-tg";
    grid.setAttribute("aria-label", show === "labels" ? "Labels" : "Takes");
    if (show === "labels") {
      let first = 0;
      fill(more);
      fill(grid, (rows?.rows || []).map((row) => { const made = rowOf(row, first); first += row[1].length; return made; }));
    } else {
      const seen = takes.takes.map((t, i) => [t, i]).filter(([t]) => wanted(t));
      const none = { all: takes.total ? "" : "No take yet: press the red button.", flag: "None is flagged.", new: "None is new." }[show];
      const hidden = takes.total - takes.takes.length;
      fill(grid, seen.map(([t, i]) => cardOf(t, i)), seen.length || hidden ? "" : h("p.s.mut.none", {}, none));
      fill(more, hidden ? ["the latest ", takes.takes.length, ` of ${takes.total} takes are looked through `, button(`Show ${Math.min(60, hidden)} more`, { onclick: () => ask("more") })] : "");
    }
    const all = cards(), here = all.find((c) => +c.dataset.n === (kept ? kept.n : current));
    if (all.length) setCurrent(here || all[Math.min(kept ? Math.max(0, kept.at) : 0, all.length - 1)]);
    if (kept) { // what had the keyboard's focus has it again, or what lies there now
      const card = here || all[Math.min(Math.max(0, kept.at), all.length - 1)];
      const control = here && kept.does && card.querySelector(`[data-does=${kept.does}]`);
      (control || card || undo.querySelector("button") || null)?.focus();
      if (!card && !undo.querySelector("button")) leave();
    } else if (undoing) (undo.querySelector("button") || all[0])?.focus() ?? (all.length || leave());
    touch();
  };

  const doing = (does) => () => {
    const card = document.activeElement?.closest?.(".tk-take");
    if (!card) return false;
    const control = card.querySelector(`[data-does=${does}]`);
    if (control) control.click();
  };
  const move = (by) => (e) => {
    const all = cards(), card = document.activeElement?.closest?.(".tk-take");
    if (!card || e.target.closest(".tk-pick")) return false;
    const across = all.filter((c) => c.offsetTop === all[0].offsetTop).length;
    const at = all.indexOf(card) + (by === "down" ? across : by === "up" ? -across : by);
    focusCard(all[Math.min(all.length - 1, Math.max(0, at))]);
  };
  return {
    el,
    keys: {
      P: doing("play"), K: doing("keep"), L: doing("relabel"), Delete: doing("discard"), Backspace: doing("discard"),
      U: () => { if (!takes?.undo) return false; ask("undo"); },
      ArrowRight: move(1), ArrowLeft: move(-1), ArrowDown: move("down"), ArrowUp: move("up"), Home: move(-1e9), End: move(1e9),
    },
    escape() { if (!picking) return false; const n = picking; picking = 0; paint(); grid.querySelector(`[data-n="${n}"]`)?.focus(); return true; },
    show(m) { takes = m; if (!m.takes.some((t) => t.n === picking)) picking = 0; paint(); },
    showRows(m) { rows = m; if (show === "labels") paint(); },
    paint,
    set touch(f) { touch = f; },
    stale() { for (const card of grid.children) card.stale = null; },
    draw(colours) {
      const p = playing();
      for (const card of grid.children) {
        const on = p && +card.dataset.n === p.n;
        if (card.stale === colours && !on && !card.was) continue;
        card.draw?.(colours, on ? p.share : null);
        card.stale = colours; card.was = on;
        if (on) setText(card.said.lastChild, `playing, ${(p.share * p.seconds).toFixed(1)} s`);
      }
    },
  };
};

// -- pictures ----------------------------------------------------------------------------------

/** Three columns of a take's picture in a box: pens lifted, and hatched, where nothing arrived. */
const drawAxes = (g, t, sparks, from, points, x, y, w, high, width) => {
  const X = (i) => x + w * i / (points - 1), Y = (v) => y + high / 2 - Math.max(-4.1, Math.min(4.1, v)) / 4.3 * (high / 2 - 2);
  AXES.forEach((k, c) => {
    g.strokeStyle = t[k]; g.lineWidth = width; g.setLineDash(DASH[c]); g.beginPath();
    let pen = false;
    for (let i = 0; i < points; i++) {
      const v = sparks[(from * points + i) * 3 + c];
      if (v === GAP) { pen = false; continue; }
      if (pen) g.lineTo(X(i), Y(v / 1000)); else g.moveTo(X(i), Y(v / 1000));
      pen = true;
    }
    g.stroke();
  });
  g.setLineDash([]);
  for (let i = 0; i < points; i++) {
    if (sparks[(from * points + i) * 3] !== GAP) continue;
    let k = i;
    while (k < points && sparks[(from * points + k) * 3] === GAP) k++;
    hatch(g, X(i - 1), y + 4, X(k) - X(i - 1), high - 8, t.edge);
    i = k;
  }
  return { X, Y };
};

const playhead = (g, t, at, w, H) => { if (at === null) return; g.strokeStyle = t.ink; g.lineWidth = 1.5; g.beginPath(); const x = 8 + (w - 16) * Math.min(1, at); g.moveTo(x, 2); g.lineTo(x, H - 2); g.stroke(); };

function drawTake(cv, t, sparks, which, points, take, at) {
  const { g, w, h: H } = canvasOf(cv, 52);
  rule(g, t.line, 8, crisp(H / 2), w - 8, crisp(H / 2));
  const { Y } = drawAxes(g, t, sparks, which, points, 8, 0, w - 16, H, 1.25);
  if (/clipped|end of the sensor/.test(take.why)) for (const v of [-4, 4]) rule(g, t.warn, 8, crisp(Y(v)), w - 8, crisp(Y(v)), [2, 2]);
  playhead(g, t, at, w, H);
}

function drawHeard(cv, t, sparks, which, points, take, at) {
  const { g, w, h: H } = canvasOf(cv, 52), X = (i) => 8 + (w - 16) * i / points, Y = (v) => H / 2 - v / 32768 * (H / 2 - 2);
  rule(g, t.line, 8, crisp(H / 2), w - 8, crisp(H / 2));
  drawBars(g, t, sparks, which, points, X, Y, H);
  if (/clipped/.test(take.why)) for (const v of [-32768, 32767]) rule(g, t.warn, 8, crisp(Y(v)), w - 8, crisp(Y(v)), [2, 2]);
  playhead(g, t, at, w, H);
}

const drawBars = (g, t, sparks, which, points, X, Y, H) => {
  g.fillStyle = t.fill;
  for (let i = 0; i < points; i++) {
    const low = Y(sparks[(which * points + i) * 2]), high = Y(sparks[(which * points + i) * 2 + 1]);
    g.fillRect(X(i), Math.min(high, H / 2 - 0.5), Math.max(1, X(1) - X(0)), Math.max(1, low - high));
  }
};

/** A label's latest takes in a row, as many as there is room for. */
function drawThumbs(cv, t, sparks, first, list, config) {
  const { g, w, h: H } = canvasOf(cv, 34), wide = 60, room = Math.max(1, Math.floor((w + 8) / (wide + 8)));
  list.slice(0, room).forEach(([, state], k) => {
    const x = k * (wide + 8);
    rule(g, t.line, x, crisp(H / 2), x + wide, crisp(H / 2));
    if (config.sound) drawBars(g, t, sparks, first + k, config.thumb, (i) => x + wide * i / config.thumb, (v) => H / 2 - v / 32768 * (H / 2 - 2), H);
    else drawAxes(g, t, sparks, first + k, config.thumb, x, 0, wide, H, 1);
    if (state === "flag") rule(g, t.warn, x, H - 0.5, x + wide, H - 0.5);
  });
}
