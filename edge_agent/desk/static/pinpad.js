// A PIN by touch or by keyboard.
import {button, el} from "./dom.js";
import {t} from "./words.js";

/** {box, value(), clear()} */
export function pinpad(id, label) {
  const input = el("input", {id, type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 64});
  const keys = el("div", {class: "pinkeys"}, ...[..."1234567890"].map((digit) =>
    button(digit, "", () => { input.value += digit; })));
  const back = button("⌫", "", () => { input.value = input.value.slice(0, -1); });
  back.setAttribute("aria-label", t("backspace"));
  keys.append(back);
  return {
    box: el("div", {class: "pinpad"}, el("div", {class: "field"}, el("label", {for: id}, label), input), keys),
    value: () => input.value,
    clear: () => { input.value = ""; },
  };
}
