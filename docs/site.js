// Names for who cannot see: the theme's triangles beside a chapter have none, and its search button is called otherwise
// than what stands on it.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll("details > summary")) {
    const link = summary.closest("li")?.querySelector("a");
    if (!summary.textContent.trim() && link) summary.setAttribute("aria-label", `Pages of ${link.textContent.trim()}`);
  }
  for (const button of document.querySelectorAll("button.search-button-field")) button.removeAttribute("aria-label");
});
