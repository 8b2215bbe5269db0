// Who is logged in here; the lock that comes by itself; the first start.
import {button, el, mark, say} from "./dom.js";
import {about} from "./format.js";
import {pinpad} from "./pinpad.js";
import {press} from "./press.js";
import {t} from "./words.js";

// As rights.py has it: what is not here is not offered. The server refuses it in any case.
const RIGHTS = {
  page: ["staff", "lead", "technician"], sos: ["staff", "lead", "technician"], order: ["staff", "lead"], check: ["staff", "lead"],
  shift: ["staff", "lead"], output: ["staff", "lead", "technician"], people: ["lead"],
  log: ["lead", "auditor"], self: ["staff", "lead", "technician", "auditor"],
};

export const open = () => Boolean(about.session && !about.session.locked);
export const may = (right) => open() && RIGHTS[right].includes(about.session.role);

const TOUCH_MS = 30000;
const GRACE_MS = 15000;
let touched = 0;

/** Tell the agent now and then that someone is here, so that the page does not lock. */
export function watchHands(locked) {
  let last = Date.now();
  const hand = () => {
    last = Date.now();
    if (open() && last - touched > TOUCH_MS) {
      touched = last;
      press("touch", {}, true);
    }
  };
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, hand, {capture: true});
  setInterval(() => { // the agent locks it and says so; this is for when it cannot
    if (open() && Date.now() - last > about.idle_s * 1000 + GRACE_MS) locked();
  }, 1000);
}

/** The names to choose from: typing Chinese on a kiosk is nobody's wish. */
export function nameChoice(people, id) {
  const choice = el("select", {id});
  for (const person of people) {
    choice.append(el("option", {value: person.name}, `${person.name} · ${t(`role_${person.role}`)}`));
  }
  return choice;
}

/** The panel in place of every view while nobody is logged in or the page is locked. */
export function loginPanel(root, entered) {
  const first = about.first;
  const pad = pinpad("login-pin", t("pin"));
  const rows = [];
  const field = (id, label, node) => rows.push(el("div", {class: "field"}, el("label", {for: id}, label), node));
  const stranger = about.elsewhere; // who works here is not told to whoever reaches the page
  const code = el("input", {id: "code", autocomplete: "off", inputmode: "numeric", maxlength: 20});
  const typed = el("input", {id: "name", autocomplete: "off", maxlength: 40});
  const choice = stranger ? typed : nameChoice(about.people, "name");
  if (about.session) choice.value = about.session.name;
  if (first) {
    field("code", t("first_code"), code);
    field("name", t("name"), typed);
  } else field("name", t("name"), choice);
  const enter = async () => {
    const body = first ? {code: code.value, name: typed.value, pin: pad.value()}
      : {name: choice.value, pin: pad.value()};
    const done = await press(first ? "setup" : "login", body, true);
    pad.clear();
    if (done) entered();
  };
  const go = button(t(first ? "set_up" : "login"), "big", enter);
  const form = el("form", {class: "login", on: {submit: (event) => {
    event.preventDefault();
    enter();
  }}}, el("h1", {}, t(first ? "first_start" : about.session ? "locked" : "login")),
  el("p", {}, t(first ? "first_start_how" : "locked_how")), ...rows, pad.box, go);
  root.append(form);
  return {sections: [], draw() {}};
}

export function sessionBar(locked, left) {
  const name = el("span", {class: "me"});
  const lock = button("", "quiet", async () => {
    await press("lock", {}, true);
    locked();
  });
  const out = button("", "quiet", async () => {
    await press("logout", {}, true);
    left();
  });
  const made = el("span", {class: "session"}, name, lock, out);
  made.draw = () => {
    mark(made, "hidden", !open());
    say(name, open() ? about.session.name : "");
    say(lock, t("lock"));
    say(out, t("logout"));
  };
  return made;
}
