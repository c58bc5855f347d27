/**
 * What a call looks like, and where it leads: the part of the worker that needs no browser.
 */

/**
 * A call as the shop sends it. `at`: the moment that `body` names as `{time}`, ms; 0 for none. `tag`: the next of
 * the same name takes its place. `again`: then it is heard again. `quiet`: no sound.
 * @typedef {{title: string, body: string, lang: string, path: string, tag: string, at: number, quiet: boolean, again: boolean}} Call
 */

const DAY_MS = 86_400_000;

/**
 * The notification of a call.
 * @param {Call} call
 * @param {number} now ms
 * @param {boolean} seen whoever is called looks at the drop's page just now
 */
export function shown(call, now, seen) {
  const silent = call.quiet || seen;
  return {
    title: call.title,
    options: {
      body: call.at > 0 ? call.body.replaceAll("{time}", clock(call.at, now, call.lang)) : call.body,
      lang: call.lang,
      dir: /** @type {const} */ ("auto"),
      tag: call.tag,
      silent,
      renotify: call.again && !silent,
      requireInteraction: call.again,
      data: { path: call.path },
    },
  };
}

/**
 * The page that a call leads to: one of this shop's drops, whatever was sent.
 * @param {unknown} path
 * @param {string} origin
 */
export function link(path, origin) {
  const home = `${origin}/`;
  if (typeof path !== "string") return home;
  try {
    const url = new URL(path, home);
    const ours = url.origin === origin && url.pathname.startsWith("/drops/");
    return ours ? `${origin}${url.pathname}` : home;
  } catch {
    return home;
  }
}

/**
 * Is that page open at this address? What comes after the path says nothing.
 * @param {string} address
 * @param {string} page
 */
export function shows(address, page) {
  const url = new URL(address);
  return `${url.origin}${url.pathname}` === page;
}

/**
 * A time as the browser's owner reads clocks; with the day where it is not within one.
 * @param {number} at
 * @param {number} now
 * @param {string} language
 */
function clock(at, now, language) {
  /** @type {Intl.DateTimeFormatOptions} */
  const day = Math.abs(at - now) < DAY_MS / 2 ? {} : { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit" }).format(at);
}
