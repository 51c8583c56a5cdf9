/* What the page uses of htm.js, for the check of types. */
declare const htm: { bind(h: any): (strings: TemplateStringsArray, ...values: any[]) => any };
export default htm;
