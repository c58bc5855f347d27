/**
 * Passkeys in the browser: ask the shop what to sign, have the device sign it, send it back. What the shop says in
 * return is a sentence for people.
 */

import { signing } from "#said";

const API = "/api/studio";
const CANCELLED = signing.unsigned;
const UNKNOWN = signing.no_answer;

/**
 * Can this page use passkeys? Browsers refuse them on bare addresses.
 * @param {Window & typeof globalThis} there
 */
export function hasPasskeys(there = window) {
  const found = there.PublicKeyCredential;
  return found !== undefined && "parseCreationOptionsFromJSON" in found && !/^[\d.]+$|^\[/.test(there.location.hostname);
}

/**
 * Ask a door of the shop.
 * @param {string} path
 * @param {object} body
 * @param {string} [api] where its doors stand
 * @param {typeof fetch} [send]
 * @returns {Promise<any>} what it told; throws the sentence of a refusal
 */
export async function ask(path, body, api = API, send = fetch) {
  const answer = await send(api + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    credentials: "same-origin",
    body: JSON.stringify(body),
  }).catch(() => null);
  if (answer === null) throw new Error(UNKNOWN);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.title ?? UNKNOWN);
  return told;
}

/** Sign in with a passkey that the device keeps. */
export async function signIn() {
  const { options } = await ask("/sign-in/challenge", {});
  await ask("/sign-in/passkey", { credential: await asked(options) });
}

/**
 * What a passkey of this device signs.
 * @param {any} options
 */
export function asked(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return signed(navigator.credentials.get({ publicKey }));
}

/**
 * Spend a one-time link with a new passkey.
 * @param {{token: string, name?: string, maker?: string}} link
 */
export async function spend({ token, name, maker }) {
  const called = name ? { name } : {};
  const { options } = await ask("/links/challenge", { token, ...called });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await signed(navigator.credentials.create({ publicKey }));
  await ask("/links/spend", { token, credential, ...called, ...(maker ? { maker } : {}) });
}

/**
 * Have the device make a further passkey for who is signed in.
 * @returns {Promise<object>} what the shop is sent
 */
export async function made() {
  const { options } = await ask("/account/passkeys/challenge", {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return signed(navigator.credentials.create({ publicKey }));
}

/** What the device answered; throws where it did not. @param {Promise<Credential | null>} answer */
export async function signed(answer) {
  const credential = await answer.catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) throw new Error(CANCELLED);
  return credential.toJSON();
}
