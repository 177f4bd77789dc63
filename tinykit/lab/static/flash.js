// Flash: why, the button, the steps, what came of it. After `core.js` and `steps.js`.

export default () => stepped("Flash", ({ model, config, above, below }) => {
  const why = config.why ? h("div.tk-note.tk-none", {}, h("span", { style: "color:var(--tk-edge)" }, icon("help")), h("div", {}, config.why)) : "";
  const text = h("div.tk-pg.num", { role: "status" });
  below.append(text);
  fill(above, why);
  return {
    show(m) {
      above.hidden = m.done;
      setText(text, m.busy ? m.text : "");
      text.style.display = m.busy && m.text ? "" : "none";
    },
    keep: (m) => m.done,
    facts: (m) => m.facts,
    buttons: (m) => m.busy || m.done ? [] : [[m.failed ? "Try again" : `Flash firmware ${config.version}`, () => model.send({ k: "flash" }), "pri", "keep"]],
  };
});
