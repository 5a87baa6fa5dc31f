// What a page shows of the chain leads to the explorer that the viewer has chosen, in place of the site's.
import { ownExplorer, shownAt } from "../chain/explorer";

const own = ownExplorer();
if (own) {
  for (const place of document.querySelectorAll<HTMLElement>("[data-explored]")) {
    const link = place.querySelector("a") ?? place.appendChild(document.createElement("a"));
    link.textContent ||= "In your explorer";
    link.rel = "noreferrer";
    link.href = shownAt(own, place.dataset["kind"] === "transaction", place.dataset["explored"] ?? "");
  }
}
