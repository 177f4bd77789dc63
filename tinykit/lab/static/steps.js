// Something slow in steps: what deploying and flashing have in common. After `core.js`.
//
// own({model, config, ui, above, below}) gives {show(m), buttons(m), facts(m), keep(m), nameOf(name, m)}: what is
// above the note and below the steps, the buttons, the words at the left of the foot, whether the steps stay when all
// is over, and how a step is called now. m is the kernel's latest state: step, busy, failed, result, report.

const stepped = (title, own) => widgetOf(() => {
  let latest = null;
  return {
    take(m) { if (m.k === "state") latest = m; },
    view: (model, lastStatus) => steppedView(title, own, model, latest, lastStatus),
  };
});

const stepList = (names, m) => h("ol.tk-steps", { "aria-label": "Steps" }, names.map((name, i) => {
  const now = i === m.step, kind = i < m.step ? "done" : now ? (m.failed ? "fail" : "now") : "";
  const mark = state(...(i < m.step ? ["ok", "done"] : now ? (m.failed ? ["bad", "failed"] : ["run", "now"]) : ["none", "to do"]));
  mark.classList.add("n");
  const words = `${i + 1} ${name}`;
  return h(`li${kind ? "." + kind : ""}`, { "aria-current": now ? "step" : null }, now ? h("b", {}, words) : h("span", {}, words), mark);
}));

function steppedView(title, own, model, latest, lastStatus) {
  const config = model.get("config"), ui = frame(title, model.get("head"));
  const above = h("div", {}), result = h("div", {}), steps = h("div", {}), below = h("div", {});
  ui.body.append(above, result, steps, below);
  const part = own({ model, config, ui, above, below });
  let said = "", pressed = "";

  const say = (r) => { // once, not with each byte
    const now = JSON.stringify(r);
    if (said === now) return;
    said = now;
    fill(result, r ? h(`div.tk-note.tk-${r.kind}`, { role: r.kind === "bad" ? "alert" : "status" },
      h("span", { style: `color:var(--tk-${r.kind === "none" ? "edge" : r.kind})` }, icon(r.kind)),
      h("div", {}, h("b", {}, r.what), " ", r.kind === "bad" && r.text ? h("div", {}, r.text) : r.text,
        r.next ? h("div", {}, h("b", {}, "Next: "), r.next) : "")) : "");
  };
  const copy = async (report, target) => {
    try { await navigator.clipboard.writeText(report); setText(target.querySelector(".t"), "Copied"); } catch (e) { said = ""; fill(result, h("div.tk-note", {}, h("pre", {}, report))); }
  };
  const show = (m) => {
    if (!m) return;
    part.show(m);
    say(m.result);
    const listed = m.busy || m.failed || part.keep?.(m);
    fill(steps, listed ? stepList(config.steps.map((name) => part.nameOf?.(name, m) ?? name), m) : "");
    steps.style.paddingTop = listed && m.result ? "12px" : "";
    setText(ui.facts, part.facts(m));
    const buttons = part.buttons(m), now = JSON.stringify([m.report, buttons.map(([words, , kind]) => [words, kind])]);
    if (now === pressed) return; // they keep their focus while bytes count up
    pressed = now;
    const focused = ui.controls.contains(document.activeElement);
    fill(ui.controls, m.report && !m.busy ? button("Copy the report", { kind: "quiet", onclick: (e) => copy(m.report, e.currentTarget) }) : "",
      buttons.map(([words, onclick, kind, pic]) => button(words, { kind, pic, onclick })));
    if (focused) ui.controls.querySelector("button:last-child")?.focus();
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
      if (m.k === "error") say({ kind: "bad", what: m.what, text: "", next: m.next });
    },
  };
}
