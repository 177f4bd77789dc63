// Deploy: two slots, steps, bytes, the way back. After `core.js` and `steps.js`.

const KB = (n) => n < 1024 ? `${n} B` : `${(n / 1024).toFixed(n < 102400 ? 1 : 0)} KB`;

export default () => stepped("Deploy", ({ model, config, above, below }) => {
  const slots = h("div.tk-slots", {}), progress = h("div", {});
  above.append(slots);
  below.append(progress);
  const meter = h("i.acc", {}), bar = h("span.tk-bar", { role: "progressbar", "aria-label": `Sending ${config.name}`, "aria-valuemin": 0, "aria-valuemax": config.bytes }, meter);
  const bytes = h("span.num", {}), left = h("span.mut.num", {});
  const sendingBox = h("div.tk-pg", {}, bar, h("div.ln", {}, bytes, left));

  const titleOf = (s) => s.state === "empty" ? "empty" : [s.version, s.name].filter(Boolean).join(" ") + (s.state === "damaged" ? ", damaged" : "");
  const factsOf = (s) => [`${KB(s.bytes)} · `, h("span.mono", {}, s.hash), s.classes ? ` · ${s.classes} classes` : ""];
  const ours = { bytes: config.bytes, hash: config.fingerprint, classes: config.classes };
  const slot = (s, m) => {
    const free = s.letter === m.free, share = `${Math.round(100 * m.done / config.bytes)} %`;
    const receiving = m.busy && free && m.step >= 1 && m.step < 5, cut = m.gone && free && m.done > 0;
    const [kind, word, pic] = receiving ? ["run", "receiving", "run"] : cut ? ["warn", "sent in part", "warn"] : s.state === "damaged" ? ["bad", "not usable", "bad"]
      : s.state === "empty" ? ["none", "empty", "none"] : s.active ? m.away ? ["none", "kept", "keep"] : ["ok", "runs now", "play"] : ["none", "kept", "keep"];
    const title = receiving || cut ? config.name : titleOf(s);
    const facts = receiving || cut ? factsOf(ours) : s.state === "empty" ? "nothing was sent here yet" : factsOf(s);
    const more = receiving ? `${share} here, not usable yet` : cut ? `${share} here: never started, sent anew` : s.state === "damaged" ? "will not be started" : s.when;
    return h(`div.tk-slot${s.active ? ".act" : ""}`, { role: "group", "aria-label": `Slot ${s.letter}: ${title}, ${word}` }, h("span.L", { "aria-hidden": "true" }, s.letter), h("span.v", {}, title), state(kind, word, pic), h("span.m", {}, facts), h("span.m", {}, more));
  };
  return {
    show(m) {
      fill(slots, m.slots.map((s) => slot(s, m)));
      if (!m.busy || m.step < 1 || m.step > 3) { fill(progress); return; }
      const share = Math.round(100 * m.done / config.bytes);
      meter.style.width = `${share}%`;
      setText(bytes, `${commas(m.done)} of ${commas(config.bytes)} bytes (${share} %)`);
      fill(left, m.left_s !== null ? [`about ${Math.max(1, Math.round(m.left_s))} s left, `, h("span.tk-est", { title: "from the bytes sent so far" }, "estimated")] : "");
      bar.setAttribute("aria-valuenow", m.done);
      bar.setAttribute("aria-valuetext", `${commas(m.done)} of ${commas(config.bytes)} bytes`);
      if (progress.firstChild !== sendingBox) fill(progress, sendingBox);
    },
    nameOf: (name, m) => name === "Clear slot" ? `Clear slot ${m.free}` : name,
    facts: (m) => !m.busy ? m.next : m.trying ? `${m.runs} runs already` : m.runs ? `${m.runs} keeps running until step 5` : "the board runs nothing until step 5",
    buttons: (m) => m.busy ? (m.trying || m.step < 0 ? [] : [["Stop sending", () => model.send({ k: "stop" })]]) : [
      ...(m.back && !m.failed ? [[`${m.newer ? "Switch" : "Roll back"} to ${m.back}`, () => model.send({ k: "rollback" }), "", "undo"]] : []),
      ...(m.here && !m.failed ? [] : [[m.failed ? "Send again" : `Send ${config.name} to slot ${m.free}`, () => model.send({ k: "send" }), "pri"]])],
  };
});
