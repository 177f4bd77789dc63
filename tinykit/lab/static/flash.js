// Flash: why, the button, the steps, what came of it. After `core.js`.

export default () => widgetOf(() => {
  let latest = null;
  return {
    take(m) { if (m.k === "state") latest = m; },
    view: (model, lastStatus) => flashView(model, latest, lastStatus),
  };
});

function flashView(model, latest, lastStatus) {
  const config = model.get("config");
  const ui = frame("Flash", model.get("head"));
  const why = h("div", {}), result = h("div", {}), steps = h("div", { style: "padding-top:12px" }), text = h("div.tk-pg.num", { role: "status" });
  ui.body.append(why, result, steps, text);
  if (config.why) fill(why, h("div.tk-note.tk-none", {}, h("span", { style: "color:var(--tk-edge)" }, icon("help")), h("div", {}, config.why)));
  let shown = "";

  const stepList = (m) => h("ol.tk-steps", { "aria-label": "Steps" }, config.steps.map((name, i) => {
    const now = i === m.step, kind = i < m.step ? "done" : now ? (m.failed ? "fail" : "now") : "";
    const st = i < m.step ? ["ok", "done"] : now ? (m.failed ? ["bad", "failed"] : ["run", "now"]) : ["none", "to do"];
    const mark = state(...st);
    mark.classList.add("n");
    const words = `${i + 1} ${name}`;
    return h(`li${kind ? "." + kind : ""}`, { "aria-current": now ? "step" : null }, now ? h("b", {}, words) : h("span", {}, words), mark);
  }));
  const show = (m) => {
    if (!m) return;
    const r = m.result;
    why.hidden = m.done;
    const now = JSON.stringify(r);
    if (result.dataset.now !== now) { // said once, not with each file that is compiled
      result.dataset.now = now;
      fill(result, r ? h(`div.tk-note.tk-${r.kind}`, { role: r.kind === "ok" ? "status" : "alert" },
        h("span", { style: `color:var(--tk-${r.kind})` }, icon(r.kind)),
        h("div", {}, h("b", {}, r.what), " ", r.text, r.next ? h("div", {}, h("b", {}, "Next: "), r.next) : "")) : "");
    }
    fill(steps, m.busy || m.failed || m.done ? stepList(m) : "");
    setText(text, m.busy ? m.text : "");
    setText(ui.facts, m.facts);
    const state_ = JSON.stringify([m.busy, m.failed, m.done, m.report]);
    if (state_ === shown) return;
    shown = state_;
    fill(ui.controls, m.busy || m.done ? "" : [
      m.report ? button("Copy the report", { kind: "quiet", onclick: (e) => copy(m.report, e.currentTarget) }) : "",
      button(m.failed ? "Try again" : `Flash firmware ${config.version}`, { kind: "pri", pic: "keep", onclick: () => model.send({ k: "flash" }) })]);
  };
  const copy = async (report, target) => {
    try { await navigator.clipboard.writeText(report); setText(target.querySelector(".t"), "Copied"); } catch (e) { fill(result, h("div.tk-note", {}, h("pre", {}, report))); }
  };
  keys(ui.root, {});
  const measure = drawLoop(ui.root, () => {});
  const showStatus = (s) => { if (s) ui.setLink(s.link.kind, s.link.text, s.link.picture); };
  const watch = setInterval(() => noteSilence(ui, lastStatus()), 1000);
  show(latest);
  showStatus(lastStatus());
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); measure.stop(); },
    message: (m) => {
      if (m.k === "state") { show(m); ui.root.dataset.frames = 1 + Number(ui.root.dataset.frames || 0); }
      if (m.k === "status") showStatus(m);
      if (m.k === "error") fill(result, h("div.tk-note.tk-bad", { role: "alert" }, h("div", {}, h("b", {}, m.what), " ", m.next)));
    },
  };
}
