/** The words of a text, as they are written (a backslash is a backslash): a long list of names or patterns that fits on a few lines. */
export const words = (text: TemplateStringsArray): string[] => String.raw(text).trim().split(/\s+/u);
