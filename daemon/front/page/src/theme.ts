// How the editor looks: all colours are the page's own variables, so that both themes are one.
import {HighlightStyle, syntaxHighlighting} from "@codemirror/language"
import {EditorView} from "@codemirror/view"
import type {Extension} from "@codemirror/state"
import {tags} from "@lezer/highlight"

const highlight = HighlightStyle.define([
  {tag: [tags.keyword, tags.controlKeyword, tags.moduleKeyword, tags.operatorKeyword, tags.definitionKeyword,
    tags.modifier, tags.self], color: "var(--code-keyword)"},
  {tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: "var(--code-string)"},
  {tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)"},
  {tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--code-comment)", fontStyle: "italic"},
  {tag: [tags.function(tags.variableName), tags.function(tags.propertyName),
    tags.function(tags.definition(tags.variableName))], color: "var(--code-function)"},
  {tag: [tags.typeName, tags.className, tags.namespace, tags.standard(tags.variableName)], color: "var(--code-type)"},
  {tag: [tags.propertyName, tags.attributeName], color: "var(--code-property)"},
  {tag: [tags.escape, tags.meta, tags.annotation, tags.processingInstruction], color: "var(--code-meta)"},
  {tag: [tags.operator, tags.punctuation, tags.bracket], color: "var(--code-mark)"},
  {tag: tags.invalid, color: "var(--error)"},
])

const look = EditorView.theme({
  "&": {height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "var(--code-size)"},
  "&.cm-focused": {outline: "none"},
  ".cm-scroller": {fontFamily: "var(--mono)", fontVariantLigatures: "none", lineHeight: "1.6", overscrollBehavior: "contain"},
  ".cm-content": {padding: "10px 0 40vh", caretColor: "var(--accent-strong)"},
  ".cm-line": {padding: "0 16px 0 6px"},
  ".cm-cursor": {borderLeft: "2px solid var(--accent-strong)", marginLeft: "-1px"},
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
    {background: "var(--selection)"},
  ".cm-gutters": {backgroundColor: "var(--surface)", color: "var(--line-number)", border: "none"},
  ".cm-lineNumbers .cm-gutterElement": {padding: "0 4px 0 2px", minWidth: "28px"},
  ".cm-activeLine": {backgroundColor: "var(--active-line)", borderRadius: "4px"},
  ".cm-activeLineGutter": {backgroundColor: "transparent", color: "var(--text)"},
  ".cm-foldGutter .cm-gutterElement": {padding: "0 3px", width: "16px", opacity: "0", transition: "opacity .12s"},
  ".cm-gutters:hover .cm-foldGutter .cm-gutterElement": {opacity: "1"},
  ".cm-foldPlaceholder": {background: "var(--hover)", border: "none", color: "var(--text-soft)", padding: "0 6px"},
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket":
    {backgroundColor: "transparent", boxShadow: "inset 0 -2px var(--accent)"},
  ".cm-nonmatchingBracket, &.cm-focused .cm-nonmatchingBracket": {color: "var(--error)", backgroundColor: "transparent"},
  ".cm-selectionMatch": {backgroundColor: "var(--match)"},
  ".cm-searchMatch": {backgroundColor: "var(--search)", outline: "none", borderRadius: "2px"},
  ".cm-searchMatch-selected": {backgroundColor: "var(--search-now)"},
  ".cm-panels": {backgroundColor: "var(--raised)", color: "var(--text)"},
  ".cm-panels-bottom": {borderTop: "1px solid var(--line)"},
  ".cm-panel.cm-search": {padding: "8px 12px", fontFamily: "var(--sans)"},
  ".cm-textfield": {background: "var(--surface)", border: "1px solid var(--line-strong)", borderRadius: "6px",
    padding: "3px 8px", color: "var(--text)"},
  ".cm-button": {background: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line-strong)",
    borderRadius: "6px", color: "var(--text)", padding: "3px 9px"},
  ".cm-tooltip": {backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)",
    borderRadius: "8px", boxShadow: "var(--shadow)", overflow: "hidden"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {fontFamily: "var(--mono)", fontSize: "12.5px", maxHeight: "15em"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {padding: "3px 10px 3px 6px", lineHeight: "1.5"},
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {background: "var(--accent-soft)", color: "var(--text)"},
  ".cm-completionMatchedText": {textDecoration: "none", color: "var(--accent-strong)", fontWeight: "600"},
  ".cm-completionDetail": {color: "var(--text-soft)", fontStyle: "normal", marginLeft: "1em"},
  ".cm-completionIcon": {color: "var(--text-soft)", opacity: "1"},
  ".cm-diagnostic": {padding: "8px 12px", borderLeft: "3px solid var(--line-strong)", fontFamily: "var(--sans)",
    fontSize: "13px", maxWidth: "56ch", lineHeight: "1.45"},
  ".cm-diagnostic-error": {borderLeftColor: "var(--error)"},
  ".cm-diagnostic-warning": {borderLeftColor: "var(--warning)"},
  ".cm-diagnostic-info": {borderLeftColor: "var(--info)"},
  ".cm-diagnosticSource": {color: "var(--text-soft)", opacity: "1", fontSize: "11.5px"},
  ".cm-diagnosticAction": {backgroundColor: "var(--accent-fill)", color: "var(--on-accent)", borderRadius: "5px",
    padding: "2px 9px", marginLeft: "10px", font: "inherit", fontSize: "12px"},
  ".cm-lintRange": {backgroundImage: "none", textDecorationLine: "underline", textDecorationStyle: "wavy",
    textDecorationThickness: "1px", textUnderlineOffset: "3px", textDecorationSkipInk: "none"},
  ".cm-lintRange-error": {textDecorationColor: "var(--error)"},
  ".cm-lintRange-warning": {textDecorationColor: "var(--warning)"},
  ".cm-lintRange-info": {textDecorationColor: "var(--info)"},
  ".cm-lintPoint::after": {display: "none"},
  ".cm-gutter-lint": {width: "15px"},
  ".cm-gutter-lint .cm-gutterElement": {padding: "0", display: "flex", alignItems: "center", justifyContent: "center"},
  ".cm-lint-marker": {content: "none !important", width: "7px", height: "7px", borderRadius: "50%"},
  ".cm-lint-marker-error": {background: "var(--error)"},
  ".cm-lint-marker-warning": {background: "var(--warning)"},
  ".cm-lint-marker-info": {background: "var(--info)"},
  ".cm-placeholder": {color: "var(--text-soft)"},
  ".cm-fat-cursor": {background: "var(--accent)", color: "var(--surface)"},
  "&:not(.cm-focused) .cm-fat-cursor": {background: "none", outline: "1px solid var(--accent)"},
})

export function themeExtension(dark: boolean): Extension {
  return [look, syntaxHighlighting(highlight), EditorView.darkTheme.of(dark)]
}
