// A plate by touch: the prefix seen most here first; 7 characters, 8 for new energy; 学 警 挂; none.
import {button, el, mark, say} from "./dom.js";
import {about} from "./format.js";
import {t} from "./words.js";

// What is printed on plates: data, the same in every language.
const PROVINCES = [..."鲁冀豫津京苏皖晋辽浙沪闽赣湘鄂粤桂琼渝川贵云藏陕甘青宁新吉黑蒙"];
const ENDS = [..."学警挂"];
const NONE = "无牌";
const KEYS = [..."1234567890QWERTYUPASDFGHJKLZXCVBNM"]; // no I and O: plates have none
// GA 36: five or, for new energy, six characters after the prefix; four before 学, 警, 挂
const WHOLE = /^[\u4e00-\u9fff][A-HJ-NP-Z]([A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[学警挂])$/;

/** {box, value(), clear()}: value is "" for no plate, null for one that is not whole yet. */
export function keyboard() {
  let typed = "";
  const shown = el("output", {class: "plate", "aria-label": t("plate")});
  const keys = el("div", {class: "keys", hidden: true});
  const whole = () => typed === NONE || WHOLE.test(typed);
  const draw = () => {
    say(shown, typed || t("no_plate"));
    mark(shown, "class", `plate ${!typed ? "blank" : whole() ? "whole" : "part"}`);
  };
  const set = (text) => {
    typed = text;
    draw();
  };
  const type = (character) => {
    if (typed !== NONE && typed.length < 8) set(typed + character);
  };
  const toggle = button(t("plate_keys"), "quiet", () => { keys.hidden = !keys.hidden; });
  keys.append(
    button(about.plate, "wide", () => set(about.plate)),
    ...PROVINCES.map((name) => button(name, "province", () => set(name))),
    ...KEYS.map((key) => button(key, "", () => type(key))),
    ...ENDS.map((key) => button(key, "", () => type(key))),
    button(NONE, "wide", () => set(NONE)),
    button("⌫", "wide", () => set(typed === NONE ? "" : typed.slice(0, -1))),
  );
  keys.lastChild.setAttribute("aria-label", t("backspace"));
  draw();
  return {
    box: el("div", {class: "platebox"}, el("div", {class: "platehead"}, shown, toggle), keys),
    value: () => (!typed || whole() ? typed : null),
    clear: () => set(""),
  };
}
