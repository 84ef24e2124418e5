/* What became of dropped files stays above the cards until it is dismissed, and outlasts a reload of the tab: how many were
   taken, how many refused, and why. `upload.js` tells of each file; the page tells of one that was moved here instead. */
(function () {
  "use strict";
  const PREFIX = "antema-uploads-";

  const read = (sample) => JSON.parse(sessionStorage.getItem(PREFIX + sample) || "null");
  function write(sample, outcome) {
    if (outcome) sessionStorage.setItem(PREFIX + sample, JSON.stringify(outcome));
    else sessionStorage.removeItem(PREFIX + sample);
    draw();
  }

  // Sending ends with the page that sends: what was under way when the tab was loaded anew did not arrive.
  for (const key of Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX))) {
    const outcome = JSON.parse(sessionStorage.getItem(key));
    const lost = outcome.lost + outcome.open;
    sessionStorage.setItem(key, JSON.stringify({ ...outcome, lost, open: 0 }));
  }

  const fresh = (open) => ({ taken: 0, total: open, refused: [], lost: 0, open });

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function words(outcome) {
    const parts = [outcome.taken + " of " + outcome.total + " taken"];
    if (outcome.refused.length) parts.push(outcome.refused.length + " refused");
    const them = outcome.lost === 1 ? "it" : "them";
    if (outcome.lost) parts.push(outcome.lost + " broken off when the page was left: drop " + them + " again");
    if (outcome.open) parts.push(outcome.open + " to come");
    return parts.join(", ");
  }

  function reason(one, sample) {
    const item = element(
      "li",
      { className: "upload-row upload-failed" },
      element("span", { className: "upload-name", textContent: one.name, title: one.name }),
      element("span", { className: "upload-state", textContent: one.error }),
    );
    if (one.micrograph) {
      item.append(element("a", { href: "/images/" + one.micrograph, textContent: "See it" }));
      if (String(one.sample) !== String(sample)) {
        const move = element("button", { className: "btn btn-sm btn-outline-primary upload-move", textContent: "Move it here" });
        move.addEventListener("click", () => {
          move.disabled = true;
          window.dash_clientside.set_props("upload-move", { data: { micrograph: one.micrograph, at: Date.now() } });
          // allowed again where the page answers that it could not be moved
          setTimeout(() => { move.disabled = false; }, 5000);
        });
        item.append(move);
      }
    }
    return item;
  }

  function place() {
    const zone = document.querySelector(".drop-zone[data-sample]");
    return [document.getElementById("upload-outcome"), zone && zone.dataset.sample];
  }

  function draw() {
    const [box, sample] = place();
    if (!box || !sample) return;
    const outcome = read(sample);
    box.dataset.sample = sample;
    box.replaceChildren();
    if (!outcome || !(outcome.refused.length || outcome.lost)) return;
    const dismiss = element("button", { className: "btn-close", title: "Dismiss", id: "upload-dismiss" });
    dismiss.addEventListener("click", () => write(sample, outcome.open ? fresh(outcome.open) : null));
    box.append(
      element("div", { className: "upload-summary" }, element("b", { textContent: words(outcome) }), dismiss),
      element("ul", {}, ...outcome.refused.map((one) => reason(one, sample))),
    );
  }

  window.antemaUploads = {
    begin(sample, files) {
      const kept = read(sample);
      const before = kept && (kept.refused.length || kept.lost || kept.open) ? kept : fresh(0);
      write(sample, { ...before, total: before.total + files, open: before.open + files });
    },
    taken(sample) {
      const outcome = read(sample);
      if (outcome) write(sample, { ...outcome, taken: outcome.taken + 1, open: outcome.open - 1 });
    },
    refused(sample, name, error, there) {
      const outcome = read(sample);
      // the name stands before it already
      const why = error.startsWith(name + ": ") ? error.slice(name.length + 2) : error;
      const one = { name, error: why, micrograph: there && there.micrograph, sample: there && there.sample };
      if (outcome) write(sample, { ...outcome, refused: [...outcome.refused, one], open: outcome.open - 1 });
    },
    moved(sample, micrograph) {
      const outcome = read(sample);
      if (!outcome) return;
      const refused = outcome.refused.filter((one) => one.micrograph !== micrograph);
      write(sample, { ...outcome, refused, taken: outcome.taken + outcome.refused.length - refused.length });
    },
  };

  // a page was laid out, perhaps another sample's in the same place
  new MutationObserver(() => {
    const [box, sample] = place();
    if (box && sample && box.dataset.sample !== sample) draw();
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
