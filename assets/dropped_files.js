/* The files of a drop, those in dropped folders and in the folders in them too; of what holds none or cannot be read, its
   name and why. */
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

  async function inside(folder) {
    const entries = (await entriesOf(folder)).filter((entry) => entry.isDirectory || !OF_NO_ONE.test(entry.name));
    entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    return (await Promise.all(entries.map(filesOf))).flat();
  }

  async function filesOf(entry) {
    try {
      return entry.isFile ? [await file(entry)] : await inside(entry);
    } catch (error) {
      return [{ name: entry.name, error: "the browser could not read it; see that you may open it, and drop it again" }];
    }
  }

  async function dropped(entry) {
    const found = await filesOf(entry);
    return found.length ? found : [{ name: entry.name, error: "expected files in this folder, found none; nothing to take" }];
  }

  // The entries have to be taken before the event is over.
  window.antemaDroppedFiles = (transfer) => {
    const entries = Array.from(transfer.items || []).map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (!entries.some((entry) => entry && entry.isDirectory)) return Promise.resolve(Array.from(transfer.files));
    return Promise.all(entries.filter(Boolean).map(dropped)).then((found) => found.flat());
  };
})();
