// Checks an hour or a season in this browser: the form that a page has is shown, and each line of what comes of it is written.
import { canBeAsked, chooseNode, ownNode, sitesNode } from "../chain/chosen";
import type { Level, Step } from "../verify/finding.js";
import type { Answer, Question } from "../verify/messages.js";

const MARKS = { right: "✓", wrong: "✗", unknown: "?" } as const;
const SPOKEN = { right: "holds: ", wrong: "is wrong: ", unknown: "isn't known: " } as const;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The worker's address as browsers that demand a policy take it: a built file of ours, and nothing else. */
function scriptAddress(url: string): string {
  const rules = {
    createScriptURL: (asked: string): string => {
      if (!/^\/static\/check-worker-[\w-]+\.js$/.test(asked)) throw new Error(`${asked} is no worker of these pages`);
      return asked;
    },
  };
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  return (types?.createPolicy("ionet-worker", rules) ?? rules).createScriptURL(url);
}

function element<T extends HTMLElement>(within: ParentNode, name: string): T {
  const found = within.querySelector<T>(name);
  if (!found) throw new Error(`the page has no ${name}`);
  return found;
}

function line(step: Step): HTMLElement {
  const item = document.createElement("li");
  item.className = step.state;
  const parts: [string, string, string | undefined][] = [
    ["span", "mark", MARKS[step.state]],
    ["span", "hidden", SPOKEN[step.state]],
    ["span", "title", step.title],
    ["span", "level", `level ${step.level}`],
    ["code", "value", step.value],
    ["strong", "says", step.says],
    ["span", "todo", step.todo],
  ];
  for (const [tag, name, text] of parts) {
    if (text === undefined) continue;
    const part = document.createElement(tag);
    part.className = name;
    part.textContent = text;
    if (name === "mark") part.setAttribute("aria-hidden", "true");
    item.append(part, " ");
  }
  return item;
}

function start(section: HTMLElement): void {
  const form = element<HTMLFormElement>(section, "form");
  const node = element<HTMLInputElement>(form, "[name=node]");
  const lines = element<HTMLOListElement>(section, "ol");
  const status = element<HTMLElement>(section, "[role=status]");
  const progress = element<HTMLProgressElement>(section, "progress");
  const script = scriptAddress(section.dataset["worker"] ?? "");
  let worker: Worker | null = null;
  const site = element<HTMLInputElement>(form, "[name=site]");
  const sites = sitesNode();
  node.value = ownNode() ?? "";
  node.required = true;
  if (sites !== null) {
    element<HTMLElement>(form, ".site").hidden = false;
    element<HTMLElement>(form, ".site span").textContent =
      `or by this site's own node, ${sites}: whoever made this site may have chosen it, and could lie in both`;
    site.addEventListener("change", () => {
      node.required = !site.checked;
      node.disabled = site.checked;
    });
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    worker?.terminate();
    const bySite = site.checked;
    if (!bySite && canBeAsked(node.value)) chooseNode(node.value);
    lines.replaceChildren();
    status.textContent = "Checking…";
    progress.hidden = true;
    const running = new Worker(script, { type: "module" });
    worker = running;
    const over = (words: string): void => {
      status.textContent = words;
      progress.hidden = true;
      running.terminate();
    };
    running.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ("step" in data) lines.append(line(data.step));
      else if ("done" in data) Object.assign(progress, { hidden: false, value: data.done, max: data.all });
      else over(ended(data.holds, data.failed, bySite));
    };
    running.onerror = () => over("The check couldn't be started: load the page anew, or use ionet from a terminal.");
    running.postMessage(asked(section, form, (event as SubmitEvent).submitter));
  });
}

function ended(holds: boolean, failed: string | null, bySite: boolean): string {
  if (failed !== null) return `The check ended for a reason of its own: ${failed}`;
  if (holds && bySite) return "All of it holds by this site's own node, which could lie as well: check it by another.";
  return holds ? "All of it holds." : "Not all of it holds: see the lines marked ✗ or ?.";
}

/** What the page's own words and the form ask. */
function asked(section: HTMLElement, form: HTMLFormElement, by: HTMLElement | null): Question {
  const given = new FormData(form);
  const text = (name: string): string | null => {
    const value = given.get(name) ?? section.dataset[name];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
  };
  const level = Number((by as HTMLButtonElement | null)?.value ?? "1") as Level;
  const node = (given.get("site") ? sitesNode() : text("node")) ?? "";
  const about = { node, level, root: text("root"), wallet: text("wallet") };
  const season = text("season");
  if (season !== null) return { ...about, season: Number(season) };
  return { ...about, hour: Number(text("hour")), earned: text("earned") };
}

for (const section of document.querySelectorAll<HTMLElement>("[data-check]")) start(section);
