"use strict";
/* Pages of scenarios are folded; a link to one opens it, and paper shows them all. */

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target && target.closest("details.scenario");
  if (fold && !fold.open) {
    fold.open = true;
    target.scrollIntoView();
  }
}

window.addEventListener("hashchange", openTarget);
/* A link to the fragment that is in the address already changes nothing that would be told. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.getAttribute("href") === location.hash) openTarget();
});
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details.scenario:not([open])").forEach((fold) => { fold.open = fold.dataset.paper = true; });
});
window.addEventListener("afterprint", () => {
  document.querySelectorAll("details.scenario[data-paper]").forEach((fold) => { fold.open = false; delete fold.dataset.paper; });
});
openTarget();
