// Light or dark, as it was chosen for this browser: before anything is painted, so alone in its file.
try {
  const chosen = localStorage.getItem("ionet.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // A browser that keeps nothing follows the system.
}
