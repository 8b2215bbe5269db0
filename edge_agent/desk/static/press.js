// What is pressed goes to the agent; what it refuses is said in words.
import {about} from "./format.js";
import {el, say} from "./dom.js";
import {t, known} from "./words.js";

let quiet = 0;

/** Say something at the foot of the page for some seconds. */
export function tell(text, bad = false) {
  const said = document.getElementById("said");
  said.replaceChildren(el("span", {class: bad ? "bad" : "good"}, ""));
  say(said.firstChild, text);
  clearTimeout(quiet);
  quiet = setTimeout(() => said.replaceChildren(), 5000);
}

/** -> the answer, or null when it was refused (and said). A press is tried once: staff see. */
export async function press(action, body = {}, quietly = false) {
  const headers = {"Content-Type": "application/json"};
  if (about.session) headers["X-Desk"] = about.session.csrf;
  try {
    const answer = await fetch(`/do/${action}`, {method: "POST", headers, body: JSON.stringify(body)});
    const said = await answer.json();
    if (answer.ok) {
      if (!quietly) tell(t("done"));
      return said;
    }
    tell(t(known(said.error) ? said.error : "err_request"), true);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch: the network
    tell(t("err_no_agent"), true);
  }
  return null;
}

/** 16 hex characters: what makes a press count once however often it is sent. */
export function ticket() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
