// Deploy: two slots, steps, bytes, the way back. After `core.js`.

export default () => widgetOf(() => {
  let latest = null;
  return {
    take(m) { if (m.k === "state") latest = m; },
    view: (model, lastStatus) => deployView(model, latest, lastStatus),
  };
});

const KB = (n) => n < 1024 ? `${n} B` : `${(n / 1024).toFixed(n < 102400 ? 1 : 0)} KB`;

function deployView(model, latest, lastStatus) {
  const config = model.get("config");
  const ui = frame("Deploy", model.get("head"));
  const slots = h("div.tk-slots", {}), middle = h("div", {}), steps = h("div", {}), progress = h("div", {});
  ui.body.append(slots, middle, steps, progress);
  const meter = h("i.acc", {}), bar = h("span.tk-bar", { role: "progressbar", "aria-label": `Sending ${config.name}`, "aria-valuemin": 0, "aria-valuemax": config.bytes }, meter);
  const bytes = h("span.num", {}), left = h("span.mut.num", {});
  const sendingBox = h("div.tk-pg", {}, bar, h("div.ln", {}, bytes, left));
  let began = 0, shown = "";

  const titleOf = (s) => s.state === "empty" ? "empty" : [s.version, s.name].filter(Boolean).join(" ") + (s.state === "damaged" ? ", damaged" : "");
  const slot = (s, m) => {
    const receiving = m.sending && s.letter === m.free && m.step >= 1 && m.step < 5;
    const [kind, word, pic] = receiving ? ["run", "receiving", "run"] : s.state === "damaged" ? ["bad", "not usable", "bad"] : s.state === "empty" ? ["none", "empty", "none"] : s.active ? ["ok", "runs now", "play"] : ["none", "kept", "keep"];
    const title = receiving ? config.name : titleOf(s);
    const facts = receiving ? [`${KB(config.bytes)} · `, h("span.mono", {}, config.fingerprint)] : s.state === "empty" ? "nothing was sent here yet" : [`${KB(s.bytes)} · `, h("span.mono", {}, s.hash)];
    const more = receiving ? `${Math.round(100 * m.done / config.bytes)} % here, not usable yet` : s.state === "damaged" ? "will not be started" : s.when;
    return h(`div.tk-slot${s.active ? ".act" : ""}`, { role: "group", "aria-label": `Slot ${s.letter}: ${title}, ${word}` }, h("span.L", { "aria-hidden": "true" }, s.letter), h("span.v", {}, title), state(kind, word, pic), h("span.m", {}, facts), h("span.m", {}, more));
  };
  const stepList = (m) => h("ol.tk-steps", { "aria-label": "Steps" }, config.steps.map((name, i) => {
    const now = i === m.step, kind = i < m.step ? "done" : now ? (m.failed ? "fail" : "now") : "";
    const st = i < m.step ? ["ok", "done"] : now ? (m.failed ? ["bad", "failed"] : ["run", "now"]) : ["none", "to do"];
    const text = `${i + 1} ${name === "Clear slot" ? `Clear slot ${m.free}` : name}`;
    const mark = state(...st);
    mark.classList.add("n");
    return h(`li${kind ? "." + kind : ""}`, { "aria-current": now ? "step" : null }, now ? h("b", {}, text) : h("span", {}, text), mark);
  }));

  const show = (m) => {
    if (!m) return;
    fill(slots, m.slots.map((s) => slot(s, m)));
    const r = m.result;
    fill(middle, r ? h(`div.tk-note.tk-${r.kind}`, { role: r.kind === "bad" ? "alert" : "status" }, h("span", { style: `color:var(--tk-${r.kind === "none" ? "edge" : r.kind})` }, icon(r.kind)),
      h("div", {}, h("b", {}, r.what), " ", r.kind === "bad" && r.text ? h("div", {}, r.text) : r.text, r.next ? h("div", {}, h("b", {}, "Next: "), r.next) : "")) : "");
    fill(steps, m.sending || m.failed ? stepList(m) : "");
    steps.style.paddingTop = r ? "12px" : "";
    if (m.sending && !began) began = Date.now();
    if (!m.sending) began = 0;
    if (m.sending && m.step >= 1 && m.step <= 3) {
      meter.style.width = `${100 * m.done / config.bytes}%`;
      setText(bytes, `${commas(m.done)} of ${commas(config.bytes)} bytes (${Math.round(100 * m.done / config.bytes)} %)`);
      const s = (Date.now() - began) / 1000, rest = m.done ? s * (config.bytes - m.done) / m.done : 0;
      fill(left, m.done && m.done < config.bytes && s > 0.5 ? [`about ${Math.max(1, Math.round(rest))} s left, `, h("span.tk-est", { title: "from the bytes sent so far" }, "estimated")] : "");
      bar.setAttribute("aria-valuenow", m.done);
      bar.setAttribute("aria-valuetext", `${commas(m.done)} of ${commas(config.bytes)} bytes`);
      if (progress.firstChild !== sendingBox) fill(progress, sendingBox);
    } else fill(progress);
    setText(ui.facts, m.sending ? (m.runs ? `${m.runs} keeps running until step 5` : "the board runs nothing until step 5") : m.next);
    const state_ = JSON.stringify([m.sending, m.failed, m.back, m.free, m.report]);
    if (state_ !== shown) { // buttons keep their focus while bytes count up
      shown = state_;
      const focused = ui.controls.contains(document.activeElement);
      const send = button(m.failed ? "Send again" : `Send ${config.name} to slot ${m.free}`, { kind: "pri", onclick: () => model.send({ k: "send" }) });
      fill(ui.controls, m.sending ? button("Stop sending", { onclick: () => model.send({ k: "stop" }) }) : [
        m.report ? button("Copy the report", { kind: "quiet", onclick: (e) => copy(m.report, e.currentTarget) }) : "",
        m.back && !m.failed ? button(`Roll back to ${m.back}`, { pic: "undo", onclick: () => model.send({ k: "rollback" }) }) : "", send]);
      if (focused) ui.controls.querySelector("button:last-child")?.focus();
    }
  };
  const copy = async (text, target) => {
    try { await navigator.clipboard.writeText(text); setText(target.querySelector(".t"), "Copied"); } catch (e) { fill(middle, h("div.tk-note", {}, h("pre", {}, text))); }
  };
  keys(ui.root, {});
  const measure = drawLoop(ui.root, () => {});
  const showStatus = (s) => { if (s) { ui.setLink(s.link.kind, s.link.text, s.link.picture); ui.setNote(s.note); } };
  const watch = setInterval(() => noteSilence(ui, lastStatus()), 1000);
  show(latest);
  showStatus(lastStatus());
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); measure.stop(); },
    message: (m) => {
      if (m.k === "state") { show(m); ui.root.dataset.frames = 1 + Number(ui.root.dataset.frames || 0); }
      if (m.k === "status") showStatus(m);
      if (m.k === "error") fill(middle, h("div.tk-note.tk-bad", { role: "alert" }, h("div", {}, h("b", {}, m.what), " ", m.next)));
    },
  };
}
