// Sensors as read, outputs as switched; every switch asks once more.
import {deal, sensors} from "./cards.js";
import {el, keyed, mark, say, sure} from "./dom.js";
import {about, ago, ours} from "./format.js";
import {rows} from "./live.js";
import {press} from "./press.js";
import {may} from "./session.js";
import {t} from "./words.js";

function switches(output) {
  if (output.kind === "announce") {
    return output.files.map((file) => sure(t("play", {file}), t("sure", {what: file}), "", () =>
      press("announce", {file, times: 1})));
  }
  return [true, false].map((on) => {
    const what = t(on ? "switch_on" : "switch_off");
    return sure(what, t("sure", {what: `${output.name} ${what}`}), on ? "" : "quiet", () =>
      press("output", {id: output.id, on}));
  });
}

function panel(output) {
  const word = el("p", {class: "word"}), told = el("p", {});
  const made = el("div", {class: "card output"}, el("strong", {}, output.name), word, told,
    el("div", {class: "presses"}, ...(may("output") ? switches(output) : [])));
  made.draw = () => {
    const row = rows.sensor[output.id];
    mark(made, "class", `card output ${row?.quality === "fault" ? "alarm" : row?.value ? "work" : "idle"}`);
    say(word, !row ? t("output_unknown") : row.quality === "fault" ? t("output_fault")
      : t(row.value ? "is_on" : "is_off"));
    say(told, row ? [row.text, ago(row.read), ours(row.why)].filter(Boolean).join(" · ") : "");
  };
  return made;
}

export function devices(root) {
  const sensorBox = el("div", {class: "cards"}), outputBox = el("div", {class: "cards"});
  root.append(el("h1", {class: "away"}, t("nav_devices")), el("h2", {}, t("outputs")), outputBox,
    el("h2", {}, t("sensors")), sensorBox);
  return {sections: ["sensor"], draw() {
    keyed(outputBox, about.outputs, (output) => output.id, panel);
    deal(sensorBox, sensors());
  }};
}
