// Who is on; hand-over; what happened while nobody looked.
import {button, el, keyed, mark, say, sure} from "./dom.js";
import {about, ago, dayMinute, minute} from "./format.js";
import {rows} from "./live.js";
import {pinpad} from "./pinpad.js";
import {press} from "./press.js";
import {may, nameChoice} from "./session.js";
import {sheet} from "./sheet.js";
import {lookedAt, story} from "./story.js";
import {t} from "./words.js";

export function shift(root) {
  const on = el("ul", {class: "on"});
  const head = el("p", {class: "word"});
  const happened = el("ol", {class: "story"});
  const paper = el("div", {class: "paper", hidden: true});
  const pad = pinpad("shift-pin", t("pin"));
  const choice = nameChoice(about.people.filter((person) => person.role !== "auditor"), "shift-name");
  const note = el("textarea", {id: "note", rows: 3, maxlength: 1000});
  const print = async (id) => {
    if (await sheet(paper, id)) window.print();
  };
  const sign = (action, body) => async () => {
    await press(action, {name: choice.value, pin: pad.value(), ...body});
    pad.clear();
  };
  const signOn = button(t("sign_on"), "big", sign("sign_on"));
  const signOff = button(t("sign_off"), "big quiet", sign("sign_off"));
  const handOver = sure(t("hand_over"), t("sure", {what: t("hand_over")}), "big", async () => {
    const done = await press("hand_over", {note: note.value});
    if (done) {
      note.value = "";
      await print(done.shift);
    }
  });
  const printNow = button(t("print_sheet"), "quiet", () => print(rows.shift.now.id));
  for (const made of [signOn, signOff, handOver, printNow]) mark(made, "disabled", !may("shift"));
  root.append(el("h1", {class: "away"}, t("nav_shift")), el("div", {class: "two noprint"},
    el("div", {}, el("h2", {}, t("on_now")), head, on, el("div", {class: "field"},
      el("label", {for: "shift-name"}, t("name")), choice), pad.box,
    el("div", {class: "presses"}, signOn, signOff)),
    el("div", {}, el("h2", {}, t("hand_over")), el("div", {class: "field"},
      el("label", {for: "note"}, t("note")), note), el("div", {class: "presses"}, handOver, printNow),
    el("h2", {}, t("happened", {since: dayMinute(lookedAt())})), happened)), paper);
  story(happened, lookedAt());

  function person(first) {
    const text = el("span", {});
    // for whoever left without: by the lead's own PIN
    const off = sure(t("sign_off_other"), t("sure_pin", {what: t("sign_off_other")}), "quiet",
      () => sign("sign_off", {name: first.who, lead: true})());
    const made = el("li", {}, text, off);
    made.draw = (row) => {
      say(text, `${row.who} · ${t("since", {time: minute(row.since)})} · ${ago(row.since)}`);
      mark(off, "hidden", !may("people"));
    };
    return made;
  }

  return {sections: ["shift"], draw() {
    const row = rows.shift.now;
    if (!row) return;
    say(head, row.unstaffed ? t("unstaffed") : t("shift_of", {date: row.date}));
    keyed(on, row.on, (one) => one.who, person);
  }};
}
