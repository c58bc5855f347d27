/** A style that a script imports is bundled beside it. */
declare module "*.css";
