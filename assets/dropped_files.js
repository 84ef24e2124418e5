/* The files of a drop, those in dropped folders and in the folders in them too. */
(function () {
  "use strict";
  const OF_NO_ONE = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

  const file = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

  async function entriesOf(folder) {
    const reader = folder.createReader();
    const found = [];
    // a hundred at a time, until there are none left
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return found;
      found.push(...some);
    }
  }

  async function filesOf(entry, inFolder) {
    if (entry.isFile) return inFolder && OF_NO_ONE.test(entry.name) ? [] : [await file(entry)];
    const inside = await entriesOf(entry);
    inside.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    return (await Promise.all(inside.map((one) => filesOf(one, true)))).flat();
  }

  // The entries have to be taken before the event is over.
  window.antemaDroppedFiles = (transfer) => {
    const entries = Array.from(transfer.items || []).map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (!entries.some((entry) => entry && entry.isDirectory)) return Promise.resolve(Array.from(transfer.files));
    return Promise.all(entries.filter(Boolean).map((entry) => filesOf(entry, false))).then((found) => found.flat());
  };
})();
