/** What the panel's scripts say. */

export const DRAFT = {
  writing: "Not saved yet",
  saved: "Saved",
  beside: "Saved. What is wrong stands beside its field:",
  sending: "Sending the picture",
  away: "Not saved: the shop cannot be reached. This page tries again by itself.",
  signedOut: "Not saved: you were signed out. Sign in in another tab, then press Save here.",
  refused: "Not saved: it is too long, or it may not be changed any more. Press Save to see why.",
  overtaken: "Somebody else saved meanwhile. Press Save to see both.",
};
