// JSON, as the module reads it and puts it together. What is not there is null.

/** @type {<T>(action: () => T) => T | undefined} undefined where the browser refuses */
export const attempt = (action) => {
  try {
    return action();
  } catch (_) {
    return undefined;
  }
};

/** @type {(text: any) => any} undefined where the text is no JSON, null where there is none */
export const parse = (text) => attempt(() => JSON.parse(text));

export const object = () => ({});

/** @type {(value: any, key: string | number) => any} */
export const get = (value, key) => {
  const found = Object(value)[key];
  return found === undefined ? null : found;
};

export { get as item };

/** @type {(value: any, key: string) => string | null} a text that is not empty */
export const text = (value, key) => {
  const found = get(value, key);
  return (typeof found === "string" && found) || null;
};

/** @type {(value: any, key: string, words: string) => number} */
export const which = (value, key, words) => words.split("|").indexOf(get(value, key));

/** @type {(value: any, key: string, text: string) => boolean} */
export const holds = (value, key, text) => get(value, key) === text;

/** @type {(value: any, key: string) => number} */
export const number = (value, key) => +get(value, key) || 0;

/** @type {(value: object) => any[]} */
export const values = (value) => Object.values(value);

/** @type {(value: any, key: string, field: any) => void} */
export const put = (value, key, field) => {
  value[key] = field;
};

/** @type {(value: any, key: string) => void} */
export const remove = (value, key) => {
  delete value[key];
};
