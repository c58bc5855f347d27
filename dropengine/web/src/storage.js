/**
 * What a page keeps of its reader, for as long as the tab lives or for good; for as long as the page does where the
 * browser keeps nothing.
 */

const memory = /** @type {Map<string, string>} */ (new Map());

/** @param {string} name */
export function kept(name) {
  try {
    return memory.get(name) ?? sessionStorage.getItem(name);
  } catch {
    return memory.get(name) ?? null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function put(name, value) {
  memory.set(name, value);
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // The note comes back with the next page, which harms nobody.
  }
}

/** What is kept for good. @param {string} name */
export function always(name) {
  try {
    return memory.get(name) ?? localStorage.getItem(name);
  } catch {
    return memory.get(name) ?? null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function putAlways(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // It begins anew with the next page, which harms nobody.
  }
}

/** What is kept for good under names that begin so, but for those that begin like the other. @param {string} begin @param {string} but */
export function forget(begin, but) {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(begin) && !name.startsWith(but)) localStorage.removeItem(name);
  } catch {
    // Nothing is kept.
  }
}
