/* While the server cannot be reached, a bar says that the numbers are not those of what is chosen, and they are greyed. What
   the page asked meanwhile waits and is asked again once the server answers: of several questions for the same, the last.
   A question that fails a second time stays unanswered: it may be what ends the server. */
(function () {
  "use strict";
  const AGAIN_MS = 2000;
  const PATIENCE_MS = 20000;
  const UNREACHED = [502, 503, 504]; // what a proxy says for a server that is gone
  const send = window.fetch.bind(window);
  const pause = () => new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  const waiting = new Map();
  const underWay = new Set();
  let lost = false;
  let leaving = false;

  window.addEventListener("pagehide", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; });

  async function isThere() {
    try {
      return (await send("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS / 2) })).ok;
    } catch (error) {
      return false;
    }
  }

  async function lose() {
    if (lost || leaving) return;
    lost = true;
    let wasGone = false;
    while (!(await isThere())) {
      wasGone = true;
      document.body.classList.toggle("server-gone", !leaving);
      await pause();
    }
    lost = false;
    document.body.classList.remove("server-gone");
    if (!wasGone) await pause();
    const asked = [...waiting.values()];
    waiting.clear();
    for (const again of asked) again(true);
  }

  function overtake(key) {
    if (waiting.has(key)) waiting.get(key)(false);
    waiting.delete(key);
  }

  function back(key) {
    overtake(key);
    return new Promise((resolve) => waiting.set(key, resolve));
  }

  async function ask(address, options) {
    const key = address + " " + (/"output":"((?:[^"\\]|\\.)*)"/.exec(options.body) || [""])[0];
    overtake(key);
    for (let isAgain = false; ; isAgain = true) {
      // Dash takes 204 for: nothing new
      if ((lost || isAgain) && !(await back(key))) return new Response(null, { status: 204 });
      const began = { at: Date.now() };
      let fail;
      underWay.add(began);
      try {
        const answer = await send(address, options);
        if (!UNREACHED.includes(answer.status)) return answer;
        fail = () => answer;
      } catch (error) {
        if (error.name === "AbortError") throw error;
        fail = () => { throw error; };
      } finally {
        underWay.delete(began);
      }
      lose();
      if (isAgain || leaving) return fail();
    }
  }

  window.fetch = (address, options) =>
    options && options.method === "POST" && String(address).includes("_dash-update-component")
      ? ask(String(address), options)
      : send(address, options);

  // A cut cable breaks no connection: nothing comes back, and nothing fails.
  setInterval(async () => {
    const isLate = [...underWay].some((began) => Date.now() - began.at > PATIENCE_MS);
    if (isLate && !lost && !(await isThere())) lose();
  }, PATIENCE_MS / 4);
})();
