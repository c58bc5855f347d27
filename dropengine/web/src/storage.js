/** What a fan put away, for as long as the tab lives; for as long as the page does where the browser keeps nothing. */

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
