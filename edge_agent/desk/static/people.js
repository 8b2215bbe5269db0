// Accounts (lead), one's own PIN (everybody), the operator log (lead, auditor).
import {button, el, sure} from "./dom.js";
import {about} from "./format.js";
import {pinpad} from "./pinpad.js";
import {press} from "./press.js";
import {may} from "./session.js";
import {story} from "./story.js";
import {t} from "./words.js";

const ROLES = ["staff", "lead", "technician", "auditor"];

export function people(root, {again}) {
  root.append(el("h1", {class: "away"}, t("nav_people")));
  const done = async (sent) => {
    if (await sent) await again();
  };
  const columns = el("div", {class: "two"});
  if (may("people")) {
    const name = el("input", {id: "new-name", maxlength: 40, autocomplete: "off"});
    const role = el("select", {id: "new-role"}, ...ROLES.map((one) => el("option", {value: one}, t(`role_${one}`))));
    const pad = pinpad("new-pin", t("pin_new"));
    columns.append(el("div", {}, el("h2", {}, t("people")), el("ul", {class: "on"}, ...about.people.map((person) =>
      el("li", {}, el("span", {}, `${person.name} · ${t(`role_${person.role}`)}`), sure(t("remove"),
        t("sure", {what: t("remove")}), "quiet", () => done(press("account_off", {name: person.name})))))),
    el("h2", {}, t("add_person")),
    el("div", {class: "field"}, el("label", {for: "new-name"}, t("name")), name),
    el("div", {class: "field"}, el("label", {for: "new-role"}, t("role")), role), pad.box,
    button(t("save"), "big", () => done(press("account", {name: name.value, role: role.value, pin: pad.value()})))));
  }
  const old = pinpad("old-pin", t("pin_old")), fresh = pinpad("own-pin", t("pin_new"));
  columns.append(el("div", {}, el("h2", {}, t("own_pin")), old.box, fresh.box,
    button(t("save"), "big", () => done(press("pin", {old: old.value(), new: fresh.value()})))));
  root.append(columns);
  return {sections: [], draw() {}};
}

export function log(root) {
  const list = el("ol", {class: "story"});
  root.append(el("h1", {class: "away"}, t("nav_log")),
    el("p", {}, el("a", {class: "export", href: "/log.csv", download: ""}, t("export"))), list);
  story(list, 0, true);
  return {sections: [], draw() {}};
}
