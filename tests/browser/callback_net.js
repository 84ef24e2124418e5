// Tells the tests which callbacks a page runs, and whether a user had done anything since the page was laid out.
(() => {
  let acted = false; // since the page was laid out
  let visited = false; // whether a user's act laid it out, as a followed link does
  for (const name of ["pointerdown", "keydown", "input", "change", "drop", "wheel"])
    window.addEventListener(name, () => { acted = true; }, { capture: true, passive: true });
  const cause = () => (acted ? "act" : visited ? "visit" : "load");

  const send = window.fetch;
  window.fetch = function (address, options) {
    if (!String(address).includes("_dash-update-component") || !options || !options.body)
      return send.apply(this, arguments);
    const layout = String(options.body).includes('"output":".._pages_content.children');
    const told = { ...options, headers: { ...options.headers, "X-Test-Cause": cause() } };
    return send.call(this, address, told).then((answer) => {
      if (layout) {
        visited = acted;
        acted = false;
      }
      answer.clone().text().then((text) => {
        if (text.includes("Unexpected error")) console.error("a callback failed: " + options.body.slice(0, 300));
      }, () => {});
      return answer;
    });
  };

  const functions = {};
  const ours = new Proxy(functions, {
    set(target, name, run) {
      target[name] = function (...values) {
        const changed = window.dash_clientside.callback_context.triggered.map((one) => one.prop_id);
        window.callbackRan({ name, changed, cause: cause() });
        return run.apply(this, values);
      };
      return true;
    },
  });
  window.dash_clientside = { _dashprivate_clientside_funcs: ours };
})();
