/**
 * Whose clocks the reader of a page reads: told to the shop in a cookie, so that letters tell times by them.
 */

const NAME = "zone";
const KEPT_S = 365 * 86_400;

/** Tell it; was it told otherwise, or not at all, before? */
export function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (!/^[A-Za-z0-9_+/-]+$/.test(zone)) return false;
  const told = `${NAME}=${zone}`;
  if (document.cookie.split("; ").includes(told)) return false;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${told}; Path=/; Max-Age=${KEPT_S}; SameSite=Lax${secure}`;
  return true;
}
