// The editor's colours: dark blue on white, like the rest of the page.
export const EDITOR_THEME = "graphe-entreprise";

// French writes ’ and no-break spaces everywhere: nothing to warn about.
export const EDITOR_OPTIONS = { unicodeHighlight: { ambiguousCharacters: false, invisibleCharacters: false } };

const BLUE = "#000091";
const PALE_BLUE = "#e3e3fd";

export function defineEditorTheme(monaco) {
  monaco.editor.defineTheme(EDITOR_THEME, {
    base: "vs",
    inherit: true,
    rules: [
      { token: "argument.identifier.gql", foreground: "6a6156" },
      { token: "key.identifier.gql", foreground: "161616" },
      { token: "keyword.gql", foreground: "000091" },
      { token: "string.key.json", foreground: "000091" },
      { token: "string.value.json", foreground: "297254" },
    ],
    colors: {
      "editor.background": "#ffffff00",
      "scrollbar.shadow": "#ffffff00",
      "textLink.foreground": BLUE,
      "textLink.activeForeground": BLUE,
      "editorLink.activeForeground": BLUE,
      "editorHoverWidget.background": "#ffffff",
      "editorSuggestWidget.background": "#ffffff",
      "editorSuggestWidget.selectedBackground": PALE_BLUE,
      "editorSuggestWidget.selectedForeground": BLUE,
      "editorSuggestWidget.highlightForeground": BLUE,
      "editorSuggestWidget.focusHighlightForeground": BLUE,
      "list.hoverBackground": "#f5f5fe",
      focusBorder: BLUE,
    },
  });
}
